"""The console's page as the files it consists of; nothing else of the disk is served."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class PageFile(NamedTuple):
    """One file of the page, with its media type and its entity tag."""

    content: bytes
    media_type: str
    tag: str


def page_folder() -> Path:
    """Where the page is: beside this package in a checkout, inside it where it was installed."""
    installed = Path(__file__).resolve().parent / "static"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "console"


def load_page(folder: Path) -> Mapping[str, PageFile]:
    """Every file of the page by its path in the address; raises FileNotFoundError where there is no page."""
    files = dict(_files(folder))
    if "/index.html" not in files:
        raise FileNotFoundError(f"{folder} has no index.html")
    return {"/": files["/index.html"], **files}


def _files(folder: Path) -> Iterator[tuple[str, PageFile]]:
    for path in sorted(folder.rglob("*")):
        media_type = _TYPES.get(path.suffix)
        if media_type is not None and path.is_file():
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            yield f"/{path.relative_to(folder).as_posix()}", PageFile(content, media_type, tag)
