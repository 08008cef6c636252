"""YAML without what makes a small document mean a huge one, or the same field twice."""

from __future__ import annotations

from typing import Any

import yaml


class NotYaml(ValueError):
    """A text is no YAML that is accepted; the message says why, as what follows the document's name."""


class _PlainLoader(yaml.SafeLoader):
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


def read_yaml(text: str) -> object:
    """The document that a text holds; raises NotYaml, or another ValueError for a value that cannot be."""
    try:
        # a SafeLoader, which neither checker sees
        return yaml.load(text, _PlainLoader)  # noqa: S506  # nosec B506
    except yaml.YAMLError as error:
        raise NotYaml(_reason(error)) from error


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"is not YAML: {error.problem} at line {mark.line + 1} column {mark.column + 1}"
    return "is not YAML: it holds characters that YAML does not allow"
