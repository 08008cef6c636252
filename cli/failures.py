"""How a command ends that could not do what it was asked for."""

from __future__ import annotations

from typing import Final

import click

FAILED: Final = 1
UNREACHABLE: Final = 4


class Failure(click.ClickException):
    """Ends a command with a message and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class, and reads it of the instance
