"""Asking somebody at a terminal."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Final

import click

_LONGEST: Final = 1024


def ask(question: str) -> str:
    """What somebody types in answer, in small letters; raises KeyboardInterrupt for Ctrl-C and at the end of the input.

    A Ctrl-C that comes just before the terminal is read would be noticed only after the next line, if it were read as
    usual; so the signal itself wakes the waiting.
    """
    click.echo(f"{question} ", nl=False, err=True)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing)
    try:
        select.select([sys.stdin, reading], [], [])
        typed = os.read(sys.stdin.fileno(), _LONGEST)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)
    if not typed:
        raise KeyboardInterrupt
    return typed.decode(errors="replace").strip().lower()
