"""UUIDs that repeat for a seed."""

from __future__ import annotations

import uuid
from random import Random


def draw_uuid(random: Random) -> str:
    """A UUID of version 4, drawn from `random`."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
