"""What a command writes: tables for people, documents of a versioned shape for programs, and notices on stderr.

Every document says in `schema` what it is, `skysaga.KIND.v1`: fields may be added to it, none is removed or changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import click
import yaml
from rich.console import Console, RenderableType
from rich.table import Table

TABLE: Final = "table"
JSON: Final = "json"
YAML: Final = "yaml"

_WIDTH: Final = 1000
"""Of a table that is not for a terminal: nothing of it is cut off."""

MOST_NAMED: Final = 50
"""Names in a row, and lines of a table: whoever needs more has a program look."""

F = TypeVar("F", bound=Callable[..., Any])

STYLES: Final[Mapping[str, str]] = {
    "READY": "green",
    "COMMITTED": "bold green",
    "FAILED": "red",
    "STUCK": "bold red",
    "NEEDS_ATTENTION": "bold red",
    "PROVISIONING": "yellow",
    "CREATING": "yellow",
    "AWAITING_APPROVAL": "bold cyan",
    "DELETING": "magenta",
    "COMPENSATING": "magenta",
    "ROLLED_BACK": "bold magenta",
    "RELEASING": "magenta",
    "RELEASED": "bold magenta",
}


def output_option(command: F) -> F:
    """The option of every command that shows something."""
    choice = click.Choice([TABLE, JSON, YAML])
    return click.option(
        "-o", "--output", type=choice, default=TABLE, show_default=True, help="A table for people, or for programs."
    )(command)


def stdout(width: int = _WIDTH) -> Console:
    """Where tables go: as wide as the terminal, or as `width` where there is none."""
    return Console(width=None if sys.stdout.isatty() else width, highlight=False)


def document(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A document of a kind."""
    return {"schema": f"skysaga.{kind}.v1", **fields}


def show(output: str, kind: str, fields: Mapping[str, Any], *tables: RenderableType) -> None:
    """Write one thing, as a whole: as tables, or as a document of a kind."""
    if output == TABLE:
        stdout().print(*tables, sep="\n")
    elif output == JSON:
        click.echo(json.dumps(document(kind, fields), indent=2))
    else:
        click.echo(_yaml(document(kind, fields)))


def stream(output: str, kind: str, fields: Mapping[str, Any]) -> None:
    """Write one document of many: a line of JSON, or a YAML document of its own."""
    text = f"---\n{_yaml(document(kind, fields))}" if output == YAML else json.dumps(document(kind, fields))
    click.echo(text)
    sys.stdout.flush()


def _yaml(fields: Mapping[str, Any]) -> str:
    """In C: thousands of resources take several seconds in Python."""
    return yaml.dump(fields, Dumper=yaml.CSafeDumper, sort_keys=False).rstrip()


def notice(text: str) -> None:
    """Tell people something that is not what they asked for."""
    click.echo(text, err=True)


def grid(*headings: str, folding: Collection[str] = ()) -> Table:
    """An empty table without lines; the columns `folding` go on below where the terminal has no room for them.

    What names something that is typed again stays whole.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in folding, overflow="fold")
    return table


def printable(text: object) -> str:
    """A text that others wrote, without what would do something to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in str(text))


def some(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """Names that others gave in a row, and how many more there are than are shown."""
    shown = printable(", ".join(names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def seconds_in_words(seconds: float) -> str:
    """A span of time as people say it, to two units: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    for size, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {name} {rest} {small_name}" if rest else f"{whole // size} {name}"
    return f"{whole} s"
