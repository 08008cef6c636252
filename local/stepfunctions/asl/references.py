"""Which state reads which variables, as DescribeStateMachine's variableReferences shows it."""

from __future__ import annotations

import re

from local.stepfunctions.asl.jsonata import expression_text, is_expression
from local.stepfunctions.jsontext import Json

_IN_PATH = re.compile(r"(?<![\w$'])\$([A-Za-z_]\w*)")
_IN_QUERY = re.compile(r"\$([A-Za-z_]\w*)(?!\w*\s*(?:\(|:=))")
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NESTED = ("States", "Branches", "ItemProcessor", "Iterator")


def variable_references(definition: dict[str, Json]) -> dict[str, list[str]]:
    """Names of variables by state, sorted; states that read none are left out."""
    found: dict[str, list[str]] = {}
    _collect(definition, definition.get("QueryLanguage", "JSONPath"), found)
    return found


def _collect(block: dict[str, Json], language: str, found: dict[str, list[str]]) -> None:
    for name, state in block["States"].items():
        names: set[str] = set()
        _scan(state, state.get("QueryLanguage", language) == "JSONata", names)
        if names:
            found[name] = sorted(names)
        for branch in state.get("Branches", ()):
            _collect(branch, language, found)
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                _collect(state[field], language, found)


def _scan(value: Json, jsonata: bool, names: set[str], field: str = "") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _NESTED:
                _scan(item, jsonata, names, key)
    elif isinstance(value, list):
        for item in value:
            _scan(item, jsonata, names, field)
    elif jsonata and is_expression(value):
        text = _LITERAL.sub("", expression_text(value))
        bound = set(re.findall(r"\$(\w+)\s*:=", text)) | set(re.findall(r"\$(\w+)(?=[^()]*\)\s*\{)", text))
        names.update(set(_IN_QUERY.findall(text)) - bound - {"states"})
    elif isinstance(value, str) and (field.endswith((".$", "Path")) or field == "Variable"):
        names.update(_IN_PATH.findall(_LITERAL.sub("", value)))
