"""PowerShell's text in pieces."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from local.simulators.scvmm.powershell.values import Unsupported


class Token(NamedTuple):
    """A piece: its kind, its text, and whether white space stands before it."""

    kind: str
    text: str
    apart: bool


_PIECES: Final = re.compile(
    r"""
      (?P<space>(?:[ \t\r]|`\r?\n|\#[^\n]*)+)
    | (?P<end>[\n;])
    | (?P<string>'(?:[^']|'')*'|"[^"$`]*")
    | (?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<cast>\[[A-Za-z]+\])
    | (?P<open>@\(|@\{|\(|\{)
    | (?P<close>\)|\})
    | (?P<member>\.[A-Za-z_][A-Za-z0-9_]*)
    | (?P<flag>-[A-Za-z][A-Za-z0-9]*)
    | (?P<number>\d+(?![A-Za-z0-9]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z][A-Za-z0-9]*)*)
    | (?P<mark>[|=,])
    """,
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """The pieces of a script; raises Unsupported for what is none of ours, such as a string with a variable in it."""
    found: list[Token] = []
    position, apart = 0, True
    while position < len(text):
        piece = _PIECES.match(text, position)
        if piece is None:
            raise Unsupported(f"near {text[position : position + 20]!r}")
        position = piece.end()
        kind = str(piece.lastgroup)
        if kind == "space":
            apart = True
            continue
        found.append(Token(kind, piece[0], apart))
        apart = kind == "end"
    found.append(Token("end", "", True))
    return found
