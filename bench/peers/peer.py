"""What every peer's file provides."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bench.peers.running import Running


class Peer(Protocol):
    """An engine that runs the saga: provision three clouds, or none, with activities that do nothing.

    `variants` are the ways in which it can run it, in words for people; `durable` says what it has on disk when a step
    is done, None for an engine that forgets.
    """

    name: str
    pins: tuple[str, ...]
    variants: tuple[str, ...]
    durable: str | None

    def install(self) -> None:
        """Build its environment unless it is there; raises NotInstalled."""
        ...

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start it on what `directory` holds, with polls that take `slow` seconds; raises EngineFailed."""
        ...
