"""Pages of a list: `maxResults` items and a token for the rest."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json

Item = TypeVar("Item")
DEFAULT_PAGE = 100


def page_size(request: dict[str, Json], default: int = DEFAULT_PAGE) -> int:
    """How many items a page holds; 0 asks for the default."""
    return int(request.get("maxResults") or default)


def encode_token(position: int) -> str:
    """A token for what follows `position`."""
    return base64.urlsafe_b64encode(f"page:{position}".encode()).decode()


def decode_token(token: str | None) -> int | None:
    """The position a token stands for, None for no token; raises ApiError InvalidToken."""
    if token is None:
        return None
    try:
        label, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if label == "page":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise ApiError("InvalidToken", f"Invalid Token: '{token}'")


def page(items: Iterable[Item], request: dict[str, Json]) -> tuple[list[Item], dict[str, str]]:
    """One page of `items`, and the answer's nextToken when more follow."""
    start = decode_token(request.get("nextToken")) or 0
    size = page_size(request)
    stop = start + size + 1
    found = list(items[start:stop] if isinstance(items, Sequence) else islice(items, start, stop))
    more = {"nextToken": encode_token(start + size)} if len(found) > size else {}
    return found[:size], more
