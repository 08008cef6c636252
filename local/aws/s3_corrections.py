"""What moto's buckets lack: the account's clock, by which objects are dated."""

from __future__ import annotations

from datetime import UTC, datetime

from moto.s3 import models

from local.clock import Clock


def date_objects_by(clock: Clock) -> None:
    """Have all buckets of this process live by `clock`, which says when an object was modified."""
    models.utcnow = lambda: datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None)  # naive, as moto's own
