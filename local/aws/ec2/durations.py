"""How long EC2's asynchronous operations take here, in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT_DURATIONS: Mapping[str, float] = MappingProxyType(
    {
        "RunInstances": 2.0,  # pending -> running
        "StartInstances": 2.0,  # pending -> running
        "StopInstances": 2.0,  # stopping -> stopped
        "TerminateInstances": 2.0,  # shutting-down -> terminated
        "CreateVolume": 0.5,  # creating -> available
        "AttachVolume": 0.5,  # attaching -> attached
        "DetachVolume": 0.5,  # detaching -> detached
        "DeleteVolume": 0.5,  # deleting -> gone
        "Visibility": 0.3,  # after RunInstances an instance may not be found yet (EC2 API, eventual consistency)
        "TerminatedVisibility": 3600.0,  # a terminated instance is still described for about an hour (EC2 user guide)
    }
)


def durations(overrides: Mapping[str, float] | None = None) -> Mapping[str, float]:
    """The defaults with `overrides`, operation to seconds; ValueError names an operation that takes no time here."""
    unknown = set(overrides or {}) - set(DEFAULT_DURATIONS)
    if unknown:
        raise ValueError(f"no duration can be set for {', '.join(sorted(unknown))}")
    return MappingProxyType({**DEFAULT_DURATIONS, **(overrides or {})})
