"""A guide that is followed to the letter: files that it creates, places that it changes, commands that it has run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.docs.markdown import Block

_NEW: Final = re.compile(r"^New file `([^`]+)`:$")
_CHANGES: Final = re.compile(r"^Changes in `([^`]+)`:$")
_NEXT: Final = "@@"


class DoesNotFit(Exception):
    """A block that cannot be applied; the message says which one, and what is in the way."""


def apply(block: Block, tree: Path) -> str | None:
    """Create the file of a block, or make its changes, in `tree`; a block of shell is returned, to be run there.

    Raises DoesNotFit.
    """
    try:
        return _apply(block, tree)
    except ValueError as error:
        raise DoesNotFit(f"line {block.line}: {error}") from error


def _apply(block: Block, tree: Path) -> str | None:
    if block.language == "sh":
        return block.text
    if new := _NEW.match(block.lead):
        _create(tree / new[1], block.text)
    elif changes := _CHANGES.match(block.lead):
        _change(tree / changes[1], block.text.splitlines())
    else:
        raise ValueError(f"say what the block is, as 'New file `PATH`:' or 'Changes in `PATH`:', not {block.lead!r}")
    return None


def _create(path: Path, text: str) -> None:
    if path.exists():
        raise ValueError(f"{path.name} is there already")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _change(path: Path, lines: Sequence[str]) -> None:
    text = f"\n{path.read_text()}"
    for hunk in _hunks(lines):
        before = _side(hunk, " -")
        if text.count(before) != 1:
            raise ValueError(f"{path.name} has {text.count(before)} places that read {before!r}, not one")
        text = text.replace(before, _side(hunk, " +"))
    path.write_text(text[1:])


def _hunks(lines: Sequence[str]) -> list[list[str]]:
    hunks: list[list[str]] = [[]]
    for line in lines:
        if line == _NEXT:
            hunks.append([])
        elif line[:1] in {" ", "+", "-"} or not line:
            hunks[-1].append(line or " ")
        else:
            raise ValueError(f"begin every line of a change with a space, + or -: {line!r}")
    return hunks


def _side(hunk: Sequence[str], marks: str) -> str:
    """Whole lines, so that no place is found in the middle of one."""
    return "\n" + "".join(f"{line[1:]}\n" for line in hunk if line[0] in marks)
