"""How long the simulated VMM server takes, and how much it allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScvmmTiming:
    """Seconds a job takes here; the durations beside them are the real ones' order of magnitude, not measured.

    A machine is listed `create_listed` after its creation began; until then only the job is to be seen. A shell ends
    when it was not used for as long as whoever opened it said, or else for `shell_idle`, WinRM's own two hours.
    `shells_per_user` is WinRM's quota.
    """

    create: float = 3.0  # really minutes: the disk is copied from the library
    create_listed: float = 0.5
    adjust: float = 1.0  # really 5 to 20 s
    start: float = 1.5  # really 5 to 30 s
    stop: float = 1.0  # really 5 s
    remove: float = 1.5  # really 10 to 30 s
    shell_idle: float = 7200.0
    shells_per_user: int = 30
