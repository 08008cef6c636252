"""Reading what a caller sent: JSON or YAML, said to be that, within the size limit, and meaning one thing only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from typing import Any, Final

from lambdas.core.errors import FieldError, RequestError
from lambdas.core.request import MAX_DOCUMENT_BYTES
from lambdas.core.specs.base import quoted

JSON_TYPES: Final = ("application/json",)
YAML_TYPES: Final = ("application/yaml", "application/x-yaml", "text/yaml")
DOCUMENT_TYPES: Final = (*JSON_TYPES, *YAML_TYPES)


class TooLarge(RequestError):
    """The document is over the size limit."""


class Malformed(RequestError):
    """The document is not JSON, or not YAML."""


class UnknownMediaType(RequestError):
    """The document is said to be something else."""


def read_document(body: bytes, content_type: str, accepted: Collection[str] = DOCUMENT_TYPES) -> object:
    """The document in a request's body; raises UnknownMediaType, TooLarge or Malformed, saying where.

    What is not said to be anything is taken for JSON.
    """
    media_type = content_type.partition(";")[0].strip().lower() or JSON_TYPES[0]
    if media_type not in accepted:
        raise UnknownMediaType([FieldError("Content-Type", f"send {' or '.join(_plain_names(accepted))}")])
    if len(body) > MAX_DOCUMENT_BYTES:
        reason = f"is {len(body)} bytes; at most {MAX_DOCUMENT_BYTES} are accepted: split the request"
        raise TooLarge([FieldError("(document)", reason)])
    try:
        text = body.decode()
        return _read_yaml(text) if media_type in YAML_TYPES else _read_json(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _malformed(_reason(error)) from error


def _plain_names(accepted: Collection[str]) -> list[str]:
    """Without the names that YAML had before it was registered."""
    return [it for it in accepted if it.startswith("application/") and "/x-" not in it]


def _read_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_not_a_number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the field {quoted(twice)} stands twice in one object")
    return document


def _not_a_number(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _read_yaml(text: str) -> object:
    from lambdas.api.yaml_documents import NotYaml, read_yaml  # noqa: PLC0415 -- most callers send JSON or nothing

    try:
        return read_yaml(text)
    except NotYaml as error:
        raise _malformed(str(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8"
    return f"cannot be read: {error}" if isinstance(error, ValueError) else "cannot be read: it is nested too deeply"


def _malformed(reason: str) -> Malformed:
    return Malformed([FieldError("(document)", reason)])
