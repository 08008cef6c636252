"""Measure everything, print a table and write bench/results.json; exit 1 when a goal is missed.

    python -m bench [MODULE ...]

Every module runs in a process of its own, so that none measures what another has left in memory; standard error says
which one is at it, and how long it took. Given names, only those modules run, and nothing is written.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def modules() -> list[str]:
    """The modules that measure something."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef figures(" in path.read_text())


def measure(module: str) -> list[Figure]:
    """A module's figures, from a fresh process; one that fails has a figure that says so, and the others go on."""
    began = time.monotonic()
    print(f"{module} ...", end=" ", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench", "--child", module]
    answer = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if answer.returncode:
        return [failed(module, answer.returncode)]
    figures: list[Figure] = json.loads(answer.stdout)
    return figures


def failed(module: str, code: int) -> Figure:
    """A goal that is missed: what the module measures is not known."""
    method = f"`python -m bench {module}` ended with {code}, and said why on standard error"
    return Figure(
        name=f"{module}: failed",
        value=code,
        unit="",
        goal="ends with 0",
        met=False,
        peer=None,
        ratio=None,
        method=method,
    )


def machine() -> str:
    """What the figures were measured on, and how busy it was with other things."""
    busy = os.getloadavg()[0]
    loaded = f"; load average {busy:.1f} when it began" + (", so loaded by other work" if busy > 1 else "")
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}{loaded}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as people read them."""
    rows = [("figure", "value", "goal", "", "beside")]
    for figure in figures:
        met = {True: "met", False: "MISSED", None: ""}[figure["met"]]
        peer = (
            "" if figure["peer"] is None else ", ".join(f"{name} {value:g}" for name, value in figure["peer"].items())
        )
        beside = f"{peer} ({figure['ratio']:g} times)" if figure["ratio"] is not None else peer
        rows.append((figure["name"], f"{figure['value']:g} {figure['unit']}", str(figure["goal"] or ""), met, beside))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        json.dump(importlib.import_module(f"bench.{options.child}").figures(), sys.stdout)
        return 0
    measured_on = machine()
    figures = [figure for module in options.modules or modules() for figure in measure(module)]
    print(table(figures))
    if not options.modules:
        results = {"figures": figures, "machine": measured_on, "date": datetime.now(UTC).date().isoformat()}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(figure["met"] is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
