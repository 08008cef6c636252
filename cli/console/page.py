"""The console's page as the files it consists of, wherever this command was installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lambdas.adapters.page import PageFile, page_files


def page_folder() -> Path:
    """Where the page is: beside this package in a checkout, inside it where it was installed."""
    installed = Path(__file__).resolve().parent / "static"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "console"


def load_page(folder: Path) -> Mapping[str, PageFile]:
    """Every file of the page by its path in the address; raises FileNotFoundError where there is no page."""
    files = {f"/{path}": file for path, file in page_files(folder).items()}
    if "/index.html" not in files:
        raise FileNotFoundError(f"{folder} has no index.html")
    return {"/": files["/index.html"], **files}
