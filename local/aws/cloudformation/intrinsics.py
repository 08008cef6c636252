"""The template language: Ref, Fn::* and conditions, evaluated against parameters and what has been created so far."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.template import Template


class Surroundings(Protocol):
    """What a template can refer to outside itself."""

    def resource_reference(self, logical_id: str) -> str:
        """The physical id of a resource that exists by now."""
        ...

    def resource_attribute(self, logical_id: str, attribute: str) -> Any:
        """An attribute of a resource that exists by now; ValidationError if the type has none of this name."""
        ...

    def exported(self, name: str) -> str:
        """The value of another stack's export; ValidationError if there is none."""
        ...

    def availability_zones(self) -> list[str]:
        """The zones of the stack's region."""
        ...

    def dynamic_reference(self, service: str, key: str) -> str:
        """The value of a `{{resolve:service:key}}`."""
        ...


class _NoValue:
    """What `AWS::NoValue` stands for: the property or item that holds it is left out."""


NO_VALUE = _NoValue()

_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|secretsmanager):([^}]+)\}\}")


class Evaluator:
    """Evaluates one template; `parameters` holds the pseudo parameters too."""

    def __init__(self, template: Template, parameters: Mapping[str, Any], surroundings: Surroundings) -> None:
        self._template = template
        self._parameters = parameters
        self._surroundings = surroundings
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """Whether the named condition holds."""
        if name not in self._conditions:
            if name not in self._template.conditions:
                raise ValidationError(f"Template error: unresolved condition dependency {name}")
            self._conditions[name] = self._truth(self._template.conditions[name])
        return self._conditions[name]

    def value(self, expression: Any) -> Any:
        """`expression` with every function in it replaced by its value."""
        if isinstance(expression, dict):
            return self._mapping(expression)
        if isinstance(expression, list):
            return [item for each in expression if (item := self.value(each)) is not NO_VALUE]
        if isinstance(expression, str):
            return _DYNAMIC.sub(lambda m: self._surroundings.dynamic_reference(m[1], m[2]), expression)
        return expression

    def references(self, expression: Any) -> Iterator[str]:
        """The logical ids of resources that `expression` needs; branches not taken need nothing."""
        if isinstance(expression, list):
            for item in expression:
                yield from self.references(item)
        elif isinstance(expression, dict):
            for key, argument in expression.items():
                yield from self._function_references(key, argument)

    def _function_references(self, key: str, argument: Any) -> Iterator[str]:
        if key == "Ref":
            yield from self._resource(argument)
        elif key == "Fn::GetAtt":
            yield from self._resource(argument.split(".")[0] if isinstance(argument, str) else argument[0])
        elif key == "Fn::Sub":
            text, variables = (argument, {}) if isinstance(argument, str) else argument
            for escaped, name in _SUBSTITUTION.findall(text):
                if not escaped and name not in variables:
                    yield from self._resource(name.split(".")[0])
            yield from self.references(variables)
        elif key == "Fn::If":
            name, when, otherwise = argument
            yield from self.references(when if self.condition(name) else otherwise)
        else:
            yield from self.references(argument)

    def _resource(self, name: str) -> Iterator[str]:
        if name in self._template.resources:
            yield name

    def _mapping(self, expression: dict[str, Any]) -> Any:
        if len(expression) == 1:
            (key, argument), *_ = expression.items()
            if key == "Ref":
                return self._reference(argument)
            if key.startswith("Fn::"):
                return self._function(key, argument)
        evaluated = ((key, self.value(each)) for key, each in expression.items())
        return {key: each for key, each in evaluated if each is not NO_VALUE}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        if name in self._template.resources:
            return self._surroundings.resource_reference(name)
        raise ValidationError(f"Template format error: Unresolved resource dependencies [{name}] in the template")

    def _function(self, key: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Fn::Base64": lambda a: base64.b64encode(str(self.value(a)).encode()).decode(),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_attribute,
            "Fn::GetAZs": lambda _: self._surroundings.availability_zones(),
            "Fn::If": lambda a: self.value(a[1] if self.condition(a[0]) else a[2]),
            "Fn::ImportValue": lambda a: self._surroundings.exported(self.value(a)),
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": lambda a: self.value(a[1]).split(a[0]),
            "Fn::Sub": self._substitute,
        }
        if key not in functions:
            raise ValidationError(f"Template function not supported locally: {key}")
        try:
            return functions[key](argument)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise ValidationError(f"Template error: {key} cannot be evaluated: {argument}") from None

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (self.value(each) for each in argument)
        try:
            return self._template.mappings[name][first][second]
        except KeyError:
            raise ValidationError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def _get_attribute(self, argument: Any) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._surroundings.resource_attribute(logical_id, self.value(attribute))

    def _join(self, argument: Any) -> str:
        delimiter, items = argument
        return str(delimiter).join(str(each) for each in self.value(items))

    def _select(self, argument: Any) -> Any:
        index, items = int(self.value(argument[0])), self.value(argument[1])
        if not 0 <= index < len(items):
            raise ValidationError("Template error: Fn::Select cannot select nonexistent value at index " + str(index))
        return items[index]

    def _substitute(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replacement(match: re.Match[str]) -> str:
            escaped, name = match.groups()
            if escaped:
                return "${" + name + "}"
            if name in variables:
                return str(self.value(variables[name]))
            if "." in name:
                return str(self._get_attribute(name))
            return str(self._reference(name))

        return _SUBSTITUTION.sub(replacement, text)

    def _truth(self, expression: Any) -> bool:
        if isinstance(expression, dict) and len(expression) == 1:
            (key, argument), *_ = expression.items()
            if key == "Condition":
                return self.condition(argument)
            if key == "Fn::Equals":
                left, right = (self.value(each) for each in argument)
                return str(left) == str(right)
            if key == "Fn::Not":
                return not self._truth(argument[0])
            if key == "Fn::And":
                return all(self._truth(each) for each in argument)
            if key == "Fn::Or":
                return any(self._truth(each) for each in argument)
        raise ValidationError(f"Template error: not a condition: {expression}")
