"""How long the simulated Compute Engine takes, and how much it allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GcpTiming:
    """Seconds an operation takes here; the durations beside them are the real ones' order of magnitude, not measured.

    `operations_kept` is how long a finished operation can be looked at ("a limited retention period", Google says),
    `request_ids_kept` how long a request id replays its operation (no lifetime is documented). `instances_per_region`
    is a quota.
    """

    instance_insert: float = 3.0  # really 10 to 40 s
    instance_delete: float = 2.5  # really 30 to 90 s
    disk_insert: float = 1.5  # really 2 to 10 s
    disk_delete: float = 1.5  # really 1 to 5 s
    operations_kept: float = 3600.0
    request_ids_kept: float = 3600.0
    instances_per_region: int = 10_000
