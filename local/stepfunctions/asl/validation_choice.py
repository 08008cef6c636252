"""Static checks of a Choice state's rules."""

from __future__ import annotations

from local.stepfunctions.asl import choice
from local.stepfunctions.asl.diagnostics import Diagnostics
from local.stepfunctions.asl.jsonata import check, expression_text, is_expression
from local.stepfunctions.asl.jsonpath import compile_path
from local.stepfunctions.jsontext import Json
from local.stepfunctions.timestamps import parse_timestamp

_TOP = {"JSONPath": {"Next", "Assign", "Comment"}, "JSONata": {"Condition", "Next", "Assign", "Output", "Comment"}}


def check_choice(found: Diagnostics, place: str, state: dict[str, Json], language: str) -> None:
    """Check every rule of Choices."""
    rules = state["Choices"]
    if not isinstance(rules, list) or not rules:
        found.error("Expected value of type Array with at least one rule", f"{place}/Choices")
        return
    for index, rule in enumerate(rules):
        where = f"{place}/Choices[{index}]"
        if not isinstance(rule, dict):
            found.error("Expected value of type Object", where)
            continue
        if "Next" not in rule:
            found.error("The field 'Next' is required but was missing", where)
        if language == "JSONata":
            _check_condition(found, where, rule)
        else:
            _check_rule(found, where, rule, _TOP["JSONPath"])


def _check_condition(found: Diagnostics, place: str, rule: dict[str, Json]) -> None:
    for name in rule.keys() - _TOP["JSONata"]:
        found.error("Field is not supported", f"{place}/{name}")
    condition: Json = rule.get("Condition")
    if isinstance(condition, bool):
        return
    if not is_expression(condition):
        found.error("The field 'Condition' must be a boolean or a JSONata expression", f"{place}/Condition")
        return
    try:
        check(condition)
    except ValueError as error:
        found.error(f"Invalid JSONata expression '{expression_text(condition)}': {error}", f"{place}/Condition")


def _check_rule(found: Diagnostics, place: str, rule: Json, allowed: set[str]) -> None:
    if not isinstance(rule, dict):
        found.error("Expected value of type Object", place)
        return
    combined = [name for name in choice.COMBINATIONS if name in rule]
    compared = [name for name in rule if name in choice.COMPARISONS]
    for name in rule:
        if name not in allowed and name not in choice.COMPARISONS | choice.COMBINATIONS | {"Variable"}:
            found.error("Field is not supported", f"{place}/{name}")
    if len(combined) + len(compared) != 1:
        found.error("Exactly one comparison operator or one of [And, Or, Not] is required", place)
    elif combined:
        _check_combination(found, place, rule, combined[0])
    else:
        _check_comparison(found, place, rule, compared[0])


def _check_combination(found: Diagnostics, place: str, rule: dict[str, Json], name: str) -> None:
    inner = rule[name]
    if name == "Not":
        _check_rule(found, f"{place}/Not", inner, {"Comment"})
        return
    if not isinstance(inner, list) or not inner:
        found.error("Expected value of type Array with at least one rule", f"{place}/{name}")
        return
    for index, part in enumerate(inner):
        _check_rule(found, f"{place}/{name}[{index}]", part, {"Comment"})


def _check_comparison(found: Diagnostics, place: str, rule: dict[str, Json], name: str) -> None:
    if "Variable" not in rule:
        found.error("The field 'Variable' is required but was missing", place)
        return
    _check_path(found, f"{place}/Variable", rule["Variable"])
    value = rule[name]
    if name in choice.PATH_OPERATORS:
        _check_path(found, f"{place}/{name}", value)
    elif not _fits(name, value):
        found.error(_expected(name), f"{place}/{name}")


def _check_path(found: Diagnostics, place: str, value: Json) -> None:
    try:
        compile_path(value)
    except (TypeError, ValueError):
        found.error("Value is not a valid JSONPath", place)


def _fits(name: str, value: Json) -> bool:
    if name in choice.TYPE_TESTS or name.startswith("Boolean"):
        return isinstance(value, bool)
    if name.startswith("Numeric"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name.startswith("Timestamp"):
        return _is_timestamp(value)
    return isinstance(value, str)


def _is_timestamp(value: Json) -> bool:
    try:
        parse_timestamp(value)
    except (TypeError, ValueError):
        return False
    return True


def _expected(name: str) -> str:
    if name.startswith("Timestamp"):
        return "String does not match RFC3339 timestamp"
    kind = "Boolean" if name in choice.TYPE_TESTS or name.startswith("Boolean") else name[:7].removesuffix("s")
    return f"Expected value of type {kind}"
