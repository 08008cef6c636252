"""The no-op activities, the same for every engine in Python. SLOW in the environment is how long a poll takes, in s."""

from __future__ import annotations

import os
import time
from typing import Any

SLOW = float(os.environ.get("SLOW", "0"))
CLOUDS = ("aws", "azure", "gcp")


class QuotaExceeded(Exception):
    """The cloud in which a saga is to fail refuses to create."""


def record_intent(saga: str, cloud: str) -> dict[str, Any]:
    """Stands for the ledger's entry."""
    return {"intent": f"{saga}/{cloud}"}


def create(saga: str, cloud: str, fail: str) -> dict[str, Any]:
    """Stands for the request that creates; raises QuotaExceeded in the cloud `fail`."""
    if cloud == fail:
        raise QuotaExceeded(f"quota in {cloud}")
    return {"id": f"{cloud}-{saga}"}


def polled(cloud: str, id: str, n: int) -> dict[str, Any]:
    """The poll's answer: ready the second time, and how often it was asked."""
    return {"ready": n >= 1, "n": n + 1}


def describe(cloud: str, id: str, n: int) -> dict[str, Any]:
    """Stands for one poll."""
    if SLOW:
        time.sleep(SLOW)
    return polled(cloud, id, n)


def commit(saga: str) -> dict[str, Any]:
    """Stands for the commit."""
    return {"committed": saga}


def delete(saga: str, cloud: str) -> dict[str, Any]:
    """Stands for the request that deletes."""
    return {"deleted": f"{cloud}-{saga}"}


def abort(saga: str) -> dict[str, Any]:
    """Stands for the end of a roll-back."""
    return {"aborted": saga}
