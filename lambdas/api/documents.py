"""Reading what a caller sent: JSON or YAML, said to be that, within the size limit, and meaning one thing only."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import yaml

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
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise Malformed([FieldError("(document)", _reason(error))]) from error


def _plain_names(accepted: Collection[str]) -> list[str]:
    """Without the names that YAML had before it was registered."""
    return [it for it in accepted if it.startswith("application/") and "/x-" not in it]


def _read_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_not_a_number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {quoted(twice)} stands twice in one object")
    return document


def _not_a_number(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class _PlainLoader(yaml.SafeLoader):
    """YAML without what makes a small document mean a huge one, or the same field twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not accepted", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, names))) < len(names):
            raise yaml.MarkedYAMLError(problem="a field stands twice in one mapping", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _read_yaml(text: str) -> object:
    # a SafeLoader, which neither checker sees
    return yaml.load(text, _PlainLoader)  # noqa: S506  # nosec B506


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"is not YAML: {error.problem} at line {mark.line + 1} column {mark.column + 1}"
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8"
    if isinstance(error, yaml.YAMLError):
        return "is not YAML: it holds characters that YAML does not allow"
    return f"cannot be read: {error}" if isinstance(error, ValueError) else "cannot be read: it is nested too deeply"
