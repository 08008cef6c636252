"""YAML without what makes a small document mean a huge one, or the same field twice."""

from __future__ import annotations

from typing import Any, Final

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

_DEEPEST: Final = 100
"""libyaml calls itself for every level, and nothing stops it before the process has no stack left."""


class NotYaml(ValueError):
    """A text is no YAML that is accepted; the message says why, as what follows the document's name."""


class _PlainLoader(yaml.CSafeLoader):
    """In C: the largest requests take about four times as long in Python."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(map(str, names))) < len(names):
            raise yaml.MarkedYAMLError(problem="a field stands twice in one mapping", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str) -> object:
    """The document that a text holds; raises NotYaml, RecursionError, or another ValueError for a bad value."""
    try:
        _look_through(text)
        # a SafeLoader, which neither checker sees
        return yaml.load(text, _PlainLoader)  # noqa: S506  # nosec B506
    except yaml.YAMLError as error:
        raise NotYaml(_reason(error)) from error


def _look_through(text: str) -> None:
    """Raise for an alias, and for what is nested too deeply, before anything is made of the text."""
    depth = 0
    for event in yaml.parse(text, _PlainLoader):
        if isinstance(event, AliasEvent):
            mark: Any = event.start_mark  # libyaml's, which is like the other
            raise yaml.MarkedYAMLError(problem="aliases are not accepted", problem_mark=mark)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"is not YAML: {error.problem} at line {mark.line + 1} column {mark.column + 1}"
    return "is not YAML: it holds characters that YAML does not allow"
