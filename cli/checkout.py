"""The checkout of skysaga that a folder is in: what runs everything on one machine, and what deploys."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_LANDMARKS: Final = ("Makefile", "app.py", "local/__main__.py")


def is_checkout(folder: Path) -> bool:
    """Whether a folder is the top of a checkout."""
    return all((folder / name).is_file() for name in _LANDMARKS)


def find_checkout(folder: Path) -> Path | None:
    """The checkout that a folder is in, or is."""
    return next((it for it in (folder, *folder.parents) if is_checkout(it)), None)
