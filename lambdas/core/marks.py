"""Marks where there are no tags: in the note that a virtual machine carries, as vSphere and Hyper-V have one.

One line for each mark, `skysaga-saga=s0abc`. People may write lines of their own into the same note.
"""

from __future__ import annotations

from collections.abc import Mapping


def annotation(marks: Mapping[str, str]) -> str:
    """The note that says `marks`; raises ValueError for a mark that does not fit a line."""
    for key, value in marks.items():
        if "=" in key or not (key + value).isprintable():
            raise ValueError(f"{key!r} cannot be a line of a note")
    return "\n".join(f"{key}={value}" for key, value in marks.items())


def marks_of(text: str | None) -> dict[str, str]:
    """The marks that a note says; of two lines with the same key, the first counts. No note says none."""
    marks: dict[str, str] = {}
    for line in (text or "").splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key and not any(character.isspace() for character in key):
            marks.setdefault(key, value)
    return marks
