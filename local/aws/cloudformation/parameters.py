"""A stack's parameters: what was given, what a template makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.template import Template

_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>$")


def given_parameters(
    template: Template, entries: Iterable[Mapping[str, Any]], previous: Mapping[str, str]
) -> dict[str, str]:
    """Each parameter as given, kept from `previous`, or by default; ValidationError names what is wrong."""
    given: dict[str, str] = {}
    for entry in entries:
        name = entry["ParameterKey"]
        if name not in template.parameters:
            raise ValidationError(f"Parameters: [{name}] do not exist in the template")
        if not entry.get("UsePreviousValue"):
            given[name] = str(entry["ParameterValue"])
        elif name in previous:
            given[name] = previous[name]
    for name, declared in template.parameters.items():
        if name not in given and "Default" in declared:
            given[name] = str(declared["Default"])
    if missing := [name for name in template.parameters if name not in given]:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in given.items():
        _check(name, value, template.parameters[name])
    return given


def parameter_values(template: Template, given: Mapping[str, str], ssm: Callable[[str], str]) -> dict[str, Any]:
    """What Ref gives for each parameter; `ssm` looks up the name that an SSM parameter type holds."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        kind = template.parameters[name].get("Type", "String")
        if looked_up := _SSM_VALUE.match(kind):
            kind, value = looked_up[1], ssm(value)  # noqa: PLW2901 - the value is what the name stands for
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        values[name] = [item.strip() for item in value.split(",")] if is_list else value
    return values


def hidden_parameters(template: Template) -> frozenset[str]:
    """The parameters that no answer shows."""
    return frozenset(
        name for name, declared in template.parameters.items() if str(declared.get("NoEcho", False)).lower() == "true"
    )


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = declared.get("AllowedValues")
    if allowed is not None and value not in [str(each) for each in allowed]:
        raise ValidationError(f"Parameter '{name}' must be one of AllowedValues")
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise ValidationError(f"Parameter '{name}' must match pattern {pattern}")
    if declared.get("Type") == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise ValidationError(f"Parameter '{name}' must be a number.")
