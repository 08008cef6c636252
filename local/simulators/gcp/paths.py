"""Compute Engine's names of things: `projects/P/zones/Z/instances/N`, and the URLs that stand for the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

API: Final = "https://www.googleapis.com/compute/v1/"
"""What every link in an answer begins with, whatever host was asked."""

_FULL_URL: Final = re.compile(r"^https?://[^/]+/(?:compute/)?(?:v1|beta)/")


def link(path: str) -> str:
    """The URL by which answers refer to `path`."""
    return API + path


def resolve(reference: str, project: str) -> str:
    """The path that a full or partial URL in a request to `project` stands for."""
    reference = _FULL_URL.sub("", reference).lstrip("/")
    return reference if reference.startswith("projects/") else f"projects/{project}/{reference}"


def last(path: str) -> str:
    """The bare name at the end of a path or URL."""
    return path.rsplit("/", 1)[-1]


def region_of(zone: str) -> str:
    """The region that a zone belongs to."""
    return zone.rpartition("-")[0]


def timestamp(moment: float) -> str:
    """Unix seconds in RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
