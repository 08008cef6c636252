"""Conditions on calls (RFC 9110, 13): which documents a caller has, or has seen, by their tags."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

ANY: Final = "*"

_TAG: Final = re.compile(r'(?P<weak>W/)?(?P<tag>"[\x21\x23-\x7e\x80-\xff]*")')
_VERSION: Final = re.compile(r'"(\d{1,18})(\.\w*)?"')


def seen_tags(header: str) -> tuple[str, ...]:
    """The tags that If-None-Match lists, weak ones like strong ones, as that header wants them compared; or ANY."""
    return (ANY,) if header.strip() == ANY else tuple(found["tag"] for found in _TAG.finditer(header))


def holds(tags: Collection[str], tag: str) -> bool:
    """Whether a tag is one of these."""
    return ANY in tags or tag in tags


def seen_versions(header: str) -> frozenset[int] | None:
    """The versions of a saga that If-Match names, or None when any will do.

    A saga's tag is its version, a dot, and a digest of all that is shown of it. An order is about the saga, which has
    moved on when its version has; what it costs meanwhile is nothing to the order. A weak tag, or one that is no
    saga's, names no version.
    """
    if header.strip() in ("", ANY):
        return None
    strong = (found["tag"] for found in _TAG.finditer(header) if not found["weak"])
    return frozenset(int(named[1]) for tag in strong if (named := _VERSION.fullmatch(tag)))
