"""A script as the parser understands it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A number, a string, $true, $false or $null."""

    value: Any


@dataclass(frozen=True)
class Variable:
    """`$name`; names are kept in lower case."""

    name: str


@dataclass(frozen=True)
class Member:
    """`target.name`."""

    target: Expression
    name: str


@dataclass(frozen=True)
class Cast:
    """`[type]operand`."""

    type: str
    operand: Expression


@dataclass(frozen=True)
class Not:
    """`-not operand`."""

    operand: Expression


@dataclass(frozen=True)
class Binary:
    """`left -operator right`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Gathered:
    """`@( ... )`: whatever the statements say, as an array."""

    block: Block


@dataclass(frozen=True)
class Parenthesis:
    """`( pipeline )`: what it says, as a value."""

    pipeline: Pipeline


@dataclass(frozen=True)
class Table:
    """`@{ key = value }`, in order."""

    entries: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Lambda:
    """`{ ... }` as a value."""

    block: Block


@dataclass(frozen=True)
class Flag:
    """`-Name` among a command's arguments; whether a value belongs to it depends on the command."""

    name: str


@dataclass(frozen=True)
class Command:
    """A cmdlet with its arguments as they are written."""

    name: str
    arguments: tuple[Flag | Expression, ...]


@dataclass(frozen=True)
class Pipeline:
    """Stages of which each takes what the one before says; only the first may be an expression."""

    stages: tuple[Command | Expression, ...]


@dataclass(frozen=True)
class Assignment:
    """`$name = pipeline`."""

    name: str
    value: Pipeline


@dataclass(frozen=True)
class If:
    """`if (condition) { ... } else { ... }`."""

    condition: Pipeline
    then: Block
    otherwise: Block


Expression = Literal | Variable | Member | Cast | Not | Binary | Gathered | Parenthesis | Table | Lambda
Statement = Assignment | If | Pipeline
Block = tuple[Statement, ...]


@dataclass(frozen=True)
class Script:
    """`param($A, $B)`, in lower case, and what follows."""

    parameters: tuple[str, ...]
    body: Block
