"""`skysaga up`: everything on this machine, out of a checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from cli.checkout import find_checkout, is_checkout
from cli.failures import BAD_INPUT, Failure

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(short_help="Run skysaga and its clouds on this machine.")
@click.option("--checkout", type=_FOLDER, help="The checkout of skysaga; the one around this folder if left out.")
def up(checkout: Path | None) -> None:
    """Run skysaga and simulated clouds on this machine, in the foreground, until Ctrl-C.

    That is `make up` of a checkout. Other commands find it by themselves from inside that checkout; elsewhere give them
    --endpoint, and local / local as AWS credentials.
    """
    folder = _given(checkout) if checkout is not None else find_checkout(Path.cwd())
    if folder is None:
        message = (
            "this folder is in no checkout of skysaga, which the local mode runs out of.\n"
            "Change into one, or name it with --checkout; for a deployment on AWS, give --endpoint instead."
        )
        raise Failure(message, BAD_INPUT)
    make = shutil.which("make")
    if make is None:
        raise Failure("make is not installed, which starts the local mode: install it, and repeat this.", BAD_INPUT)
    # In place of this process, so that Ctrl-C and every signal reach what runs.
    os.execv(make, ["make", "--no-print-directory", "-C", str(folder), "up"])  # noqa: S606  # nosec B606


def _given(checkout: Path) -> Path:
    if not is_checkout(checkout):
        raise Failure(f"{checkout} is no checkout of skysaga: it has no Makefile, app.py and local/.", BAD_INPUT)
    return checkout
