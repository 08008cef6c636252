"""Whether a stack's resources are what its template says, each property of each resource."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from local.machine import REGION
from tests.deploys.command_line import ACCOUNT
from tests.deploys.reading import NOWHERE_TO_READ, Account, Deployed, Read, document

_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_FUNCTIONS = ("Fn::GetAtt", "Fn::ImportValue", "Fn::Join", "Fn::Sub")
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


class DeployedStack:
    """A stack as CloudFormation lists it, beside the template it was made from."""

    def __init__(self, account: Account, name: str, template: Path) -> None:
        self._account = account
        self._declared: dict[str, Any] = json.loads(template.read_text())["Resources"]
        pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        listed = [it for page in pages for it in page["StackResourceSummaries"]]
        self._physical_ids = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in listed}
        self._read: dict[str, Read] = {}

    @property
    def types(self) -> dict[str, str]:
        """The type of each resource of the template."""
        return {name: it["Type"] for name, it in self._declared.items() if it["Type"] != "AWS::CDK::Metadata"}

    def differences(self, logical_id: str) -> list[str]:
        """What the template says of a resource and its service does not."""
        wanted = dict(self.wanted(logical_id))
        if substitutions := wanted.get("DefinitionSubstitutions"):
            wanted["DefinitionString"] = _PLACEHOLDER.sub(
                lambda match: str(substitutions[match[1]]), wanted["DefinitionString"]
            )
        unread = NOWHERE_TO_READ.get(self.types[logical_id], frozenset())
        return [
            it for it in differences(wanted, self.read(logical_id).properties) if it.partition(": ")[0] not in unread
        ]

    def read(self, logical_id: str) -> Read:
        """A resource as its service describes it."""
        if logical_id not in self._read:
            resource = Deployed(self._physical_ids[logical_id], lambda: self.wanted(logical_id))
            self._read[logical_id] = self._account.read(self._declared[logical_id]["Type"], resource)
        return self._read[logical_id]

    def wanted(self, logical_id: str) -> Mapping[str, Any]:
        """What the template says of a resource, every reference followed."""
        resolved: dict[str, Any] = self._resolve(self._declared[logical_id].get("Properties", {}))
        return resolved

    @cached_property
    def _exports(self) -> dict[str, str]:
        pages = self._account.client("cloudformation").get_paginator("list_exports").paginate()
        return {it["Name"]: it["Value"] for page in pages for it in page["Exports"]}

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and next(iter(value)) in ("Ref", *_FUNCTIONS):
            return self._evaluate(value)
        assert not any(key.startswith("Fn::") for key in value), f"nobody resolves {value}"
        return {key: self._resolve(each) for key, each in value.items()}

    def _evaluate(self, function: dict[str, Any]) -> Any:
        match function:
            case {"Fn::GetAtt": [name, attribute]}:
                return self.read(name).attributes[attribute]
            case {"Fn::ImportValue": name}:
                return self._exports[name]
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self._resolve(parts))
            case {"Fn::Sub": str(text)}:
                return _PLACEHOLDER.sub(lambda match: self._reference(match[1]), text)
        return self._reference(function["Ref"])

    def _reference(self, name: str) -> str:
        return _PSEUDO.get(name) or str(self._physical_ids[name])


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Where `found` is not what is `wanted`, by path; it may say more where it is an object, and nowhere else.

    Names may differ in the case of their first letter, numbers and truth values may be texts, documents may be encoded,
    and lists may be in another order.
    """
    wanted, found = _decoded(wanted), _decoded(found)
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        by_name = {_uncapitalized(key): each for key, each in found.items()}
        for key, each in wanted.items():
            where = f"{path}.{key}" if path else key
            if _uncapitalized(key) not in by_name:
                yield f"{where}: {each!r} is missing"
            else:
                yield from differences(each, by_name[_uncapitalized(key)], where)
    elif isinstance(wanted, list) and isinstance(found, list):
        left = list(found)
        for index, each in enumerate(wanted):
            match = next((other for other in left if not list(differences(each, other))), None)
            if match is None:
                yield f"{path}[{index}]: {each!r} is missing"
            else:
                left.remove(match)
        if len(found) > len(wanted):
            yield f"{path}: {left!r} is too much"
    elif _plain(wanted) != _plain(found):
        yield f"{path}: {wanted!r} is {found!r}"


def _decoded(value: Any) -> Any:
    return document(value) if isinstance(value, str) and value[:1] in "{[%" else value


def _plain(value: Any) -> Any:
    """A scalar or a list of one as text; so a policy's single action may be a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return value


def _uncapitalized(name: str) -> str:
    return name[:1].lower() + name[1:]
