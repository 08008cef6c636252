"""Whether anything that is pinned has a known vulnerability: `python -m checks.vulnerabilities`, after pip-audit.

A database that cannot be reached must not look like one that knows of nothing, and pip-audit takes a package that its
database has never heard of for a harmless one. So each database is first asked about a version known to be vulnerable:
only one that says so is believed. Where none does, that is said, and it fails only where AUDIT=required.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
LOCKS: Final = ("requirements.txt", "lambdas/requirements.txt", "lambdas/*/requirements.txt", "checks/requirements.txt")

KNOWN_BAD: Final = "jinja2==2.11.2"
"""Has CVE-2020-28493, which every database has known since 2021."""

ACCEPTED: Final[dict[str, str]] = {}
"""Vulnerabilities that do not concern us: the id, and why, and until when that is to be looked at again."""

_PIP_AUDIT: Final = ROOT / ".venv" / "checks" / "bin" / "pip-audit"
_CONNECT_SECONDS: Final = "5"
_AUDIT_SECONDS: Final = 300


class Database(NamedTuple):
    """A vulnerability database, and how pip-audit is told to ask it."""

    name: str
    arguments: tuple[str, ...]


DATABASES: Final = (Database("OSV", ("-s", "osv")), Database("PyPI", ("-s", "pypi")))


class NoAnswer(Exception):
    """The database could not be asked."""


class Finding(NamedTuple):
    """A vulnerability of a pinned package; `fixed_in` are the versions that do not have it."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...]


class Report(NamedTuple):
    """What a database knows of the packages that lock files pin, and of which of them it knows nothing at all."""

    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]


def main(databases: Sequence[Database] = DATABASES, locks: Sequence[Path] | None = None) -> int:
    """Audit what is pinned and say what came of it; the exit code is 1 for a finding, or where AUDIT=required fails."""
    required = os.environ.get("AUDIT") == "required"
    database = answering(databases)
    if database is None:
        return _not_checked("nobody answers: " + ", ".join(it.name for it in databases), required)
    try:
        report = audit(database, locks or sorted(path for pattern in LOCKS for path in ROOT.glob(pattern)))
    except NoAnswer:
        return _not_checked(f"{database.name} stopped answering", required)
    for it in report.findings:
        remedy = f"take {' or '.join(it.fixed_in)}" if it.fixed_in else "no version is without it yet"
        print(f"{it.package} {it.version}: {it.id}; {remedy}", file=sys.stderr)
    if report.unknown:
        print(f"{database.name} knows nothing of {', '.join(report.unknown)}", file=sys.stderr)
    if not report.findings:
        print(f"no known vulnerability in what is pinned ({database.name})")
    return int(bool(report.findings))


def answering(databases: Sequence[Database]) -> Database | None:
    """Return the first database that finds the version known to be vulnerable; None when no one does."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "requirements.txt")
        pins.write_text(f"{KNOWN_BAD}\n")
        return next((it for it in databases if _finds_something(it, pins)), None)


def audit(database: Database, locks: Sequence[Path]) -> Report:
    """Return what a database knows of everything that the lock files pin; raises NoAnswer."""
    files = [argument for lock in locks for argument in ("-r", str(lock))]
    ignored = [argument for id_ in ACCEPTED for argument in ("--ignore-vuln", id_)]
    packages = _run(*database.arguments, *files, *ignored)
    findings = {
        Finding(it["name"], it["version"], flaw["id"], tuple(flaw["fix_versions"]))
        for it in packages
        for flaw in it.get("vulns", ())
    }
    return Report(tuple(sorted(findings)), tuple(sorted(it["name"] for it in packages if "skip_reason" in it)))


def _not_checked(why: str, required: bool) -> int:
    advice = "" if required else "; AUDIT=required makes this an error"
    print(f"NOT CHECKED for known vulnerabilities: {why}{advice}", file=sys.stderr)
    return int(required)


def _finds_something(database: Database, pins: Path) -> bool:
    try:
        return bool(audit(database, [pins]).findings)
    except NoAnswer:
        return False


def _run(*arguments: str) -> list[dict[str, Any]]:
    command = [str(_PIP_AUDIT), "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    try:
        outcome = subprocess.run(  # noqa: S603 - our own tool on our own files
            [*command, "--timeout", _CONNECT_SECONDS, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_AUDIT_SECONDS,
        )
        packages: list[dict[str, Any]] = json.loads(outcome.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise NoAnswer from error
    return packages


if __name__ == "__main__":
    sys.exit(main())
