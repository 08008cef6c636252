"""What moto's buckets lack, the account's clock, by which objects are dated; and large objects without a detour."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.s3 import models

from local.clock import Clock

_value = models.FakeKey.value


def correct_s3() -> None:
    """Have large objects written to their files at once: moto collects each in memory first."""
    models.FakeKey.value = _value.setter(_set_value)


def date_objects_by(clock: Clock) -> None:
    """Have all buckets of this process live by `clock`, which says when an object was modified."""
    models.utcnow = lambda: datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None)  # naive, as moto's own


def _set_value(key: Any, value: bytes) -> None:
    if len(value) > key._max_buffer_size:
        key._value_buffer.rollover()
    _value.fset(key, value)
