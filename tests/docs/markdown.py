"""The code on a page: fenced and indented blocks, each with the line of text that comes before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_FENCE: Final = re.compile(r"^```(\w*)$")
_INDENT: Final = "    "


class Block(NamedTuple):
    """Code in a `language` ("" where none is named, as for indented code), and the `lead` that says what it is.

    `line` is where it starts on its page, counted from 1.
    """

    language: str
    text: str
    lead: str
    line: int


def blocks_of(page: Path, section: str | None = None) -> list[Block]:
    """Every block of a page, or of one of its sections, in order; raises ValueError for a fence that is never closed.

    A section goes from its heading of the second level to the next one.
    """
    lines = page.read_text().splitlines()
    if section is None:
        return list(_blocks(lines))
    start = lines.index(f"## {section}")
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("## ")), len(lines))
    return [block for block in _blocks(lines) if start < block.line <= end]


def _blocks(lines: list[str]) -> Iterator[Block]:
    lead, at = "", 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            end = _closing(lines, at)
            yield Block(fence[1], _text(lines[at + 1 : end]), lead, at + 2)
            at = end
        elif line.startswith(_INDENT) and not lead.startswith(("- ", "|")):
            end = _dedent(lines, at)
            yield Block("", _text([it.removeprefix(_INDENT) for it in lines[at:end]]), lead, at + 1)
            at = end - 1
        elif line.strip():
            lead = line.strip()
        at += 1


def _closing(lines: list[str], opening: int) -> int:
    for at in range(opening + 1, len(lines)):
        if lines[at] == "```":
            return at
    raise ValueError(f"the fence in line {opening + 1} is never closed")


def _dedent(lines: list[str], start: int) -> int:
    """The line after indented code, which may have empty lines in it."""
    end = at = start
    while at < len(lines) and (lines[at].startswith(_INDENT) or not lines[at].strip()):
        at += 1
        if lines[at - 1].strip():
            end = at
    return end


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines).rstrip("\n") + "\n"
