"""What every peer's file provides."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bench.peers.running import Running


class Peer(Protocol):
    """An engine that runs the saga: provision three clouds, or none, with activities that do nothing."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def pins(self) -> tuple[str, ...]:
        """The packages that are installed, each with its version."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """The ways in which it can run the saga."""
        ...

    @property
    def durable(self) -> str | None:
        """What it has on disk when a step is done; None for an engine that forgets."""
        ...

    def install(self) -> None:
        """Build its environment unless it is there; raises NotInstalled."""
        ...

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start it on what `directory` holds, with polls that take `slow` seconds; raises EngineFailed."""
        ...
