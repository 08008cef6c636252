"""`skysaga doctor`: what is missing here, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from cli.endpoint import endpoint_options
from cli.examination import Finding, State, examine
from cli.failures import FAILED
from cli.output import TABLE, output_option, printable, show, stdout

_MARKS = {State.OK: ("ok     ", "green"), State.NOTE: ("note   ", "yellow"), State.MISSING: ("MISSING", "bold red")}


@click.command(short_help="Say what is missing here, and how to fix it.")
@endpoint_options
@output_option
def doctor(endpoint: str | None, profile: str | None, region: str | None, output: str) -> None:
    """Look for what is missing here, and say how to fix it.

    Exits with 1 when something is missing that other commands need.
    """
    findings = list(examine(endpoint, profile, region))
    if output == TABLE:
        for it in findings:
            _print(it)
    else:
        show(output, "doctor", {"healthy": not _missing(findings), "checks": [it._asdict() for it in findings]})
    if _missing(findings):
        raise click.exceptions.Exit(FAILED)


def _print(it: Finding) -> None:
    console = stdout()
    console.print(Text.assemble(_MARKS[it.state], "  ", (f"{it.subject:14}", "bold"), f"  {printable(it.says)}"))
    if it.fix:
        console.print(Text(f"         {'':14}  -> {printable(it.fix)}"))


def _missing(findings: Sequence[Finding]) -> bool:
    return any(it.state is State.MISSING for it in findings)
