"""Fits CloudFormation properties to an API's own input: names, types and tags; nothing is dropped in silence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import Shape

from local.aws.cloudformation.provider import Refusal


class UnsupportedProperty(Refusal):
    """A property that this resource type cannot honour here; the message names it."""


def arguments(client: Any, operation: str, properties: Mapping[str, Any], **renamed: str) -> dict[str, Any]:
    """The arguments of `client.operation` that say what `properties` say.

    Names differ in case only ("roleArn", "RoleArn"), unless `renamed` gives the API's name for a property. Values are
    converted to the type the API declares, since templates write numbers and booleans as strings, and policy documents
    as objects. UnsupportedProperty names what the API has no place for.
    """
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).input_shape
    return _structure(shape, {renamed.get(key, key): value for key, value in properties.items()}, "")


def accepted(client: Any, operation: str, properties: Mapping[str, Any], **renamed: str) -> dict[str, Any]:
    """Those of `properties` that `client.operation` has a place for, under their own names."""
    name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(name).input_shape
    return {key: value for key, value in properties.items() if _member(shape, renamed.get(key, key)) is not None}


def refuse_others(properties: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise UnsupportedProperty, naming every property that is not among the `known`."""
    if unknown := sorted(set(properties) - set(known)):
        raise UnsupportedProperty(f"the properties {', '.join(unknown)} are not supported locally")


def tag_mapping(tags: Any) -> dict[str, str]:
    """CloudFormation's tags, a list of Key and Value or a mapping, as a mapping."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in tags or ()}


def _fit(shape: Any, value: Any, path: str) -> Any:
    converters: dict[str, Callable[[Any, Any, str], Any]] = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "boolean": _boolean,
        "integer": lambda _shape, number, where: _number(int, number, where),
        "long": lambda _shape, number, where: _number(int, number, where),
        "float": lambda _shape, number, where: _number(float, number, where),
        "double": lambda _shape, number, where: _number(float, number, where),
    }
    convert = converters.get(shape.type_name)
    return convert(shape, value, path) if convert else value


def _structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise UnsupportedProperty(f"{path or 'Properties'} must be an object")
    fitted = {}
    for key, each in value.items():
        where = f"{path}.{key}" if path else str(key)
        name = _member(shape, key)
        if name is None:
            raise UnsupportedProperty(f"the property {where} is not supported locally")
        fitted[name] = _fit(shape.members[name], each, where)
    return fitted


def _member(shape: Shape, key: str) -> str | None:
    members: Mapping[str, Any] = shape.members  # type: ignore[attr-defined]  # only structures get here
    if key in members:
        return key
    return next((name for name in members if name.lower() == key.lower()), None)


def _list(shape: Any, value: Any, path: str) -> list[Any]:
    if isinstance(value, Mapping):
        raise UnsupportedProperty(f"{path} must be a list")
    items = value if isinstance(value, list) else [value]
    return [_fit(shape.member, item, f"{path}[{index}]") for index, item in enumerate(items)]


def _map(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, list):
        return tag_mapping(value)
    return {str(key): _fit(shape.value, each, f"{path}.{key}") for key, each in value.items()}


def _string(_shape: Any, value: Any, _path: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _boolean(_shape: Any, value: Any, path: str) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise UnsupportedProperty(f"{path} must be true or false")
    return text == "true"


def _number(kind: Callable[[Any], Any], value: Any, path: str) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise UnsupportedProperty(f"{path} must be a number") from None
