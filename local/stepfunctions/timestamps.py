"""Timestamps as ASL reads them (RFC 3339 with an offset) and as the context object writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)")


def parse_timestamp(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 timestamp; raises ValueError where AWS would not take it."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    micro = (fraction or "0").ljust(6, "0")[:6]
    zone = "+00:00" if offset == "Z" else offset
    return datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{micro}{zone}").timestamp()


def format_timestamp(moment: float) -> str:
    """`2025-01-15T10:30:00.123Z`: milliseconds, UTC."""
    whole = datetime.fromtimestamp(round(moment, 3), UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03d}Z"
