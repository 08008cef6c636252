"""Reading a synthesized template: resources by type, and values with their references resolved to logical ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


class Template:
    """One stack's template."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._document: dict[str, Any] = json.loads(path.read_text())

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs that people read, without the exports that the CDK adds for other stacks."""
        return {name: it for name, it in self._document["Outputs"].items() if "Export" not in it}

    @property
    def types(self) -> set[str]:
        """The types of all resources."""
        return {it["Type"] for it in self._document["Resources"].values()}

    def resources(self, type_: str) -> dict[str, Resource]:
        """Every resource of a type, by logical id."""
        return {name: it for name, it in self._document["Resources"].items() if it["Type"] == type_}

    def only(self, type_: str) -> Resource:
        """The one resource of its type."""
        (resource,) = self.resources(type_).values()
        return resource

    def properties(self, type_: str) -> list[dict[str, Any]]:
        """The properties of every resource of a type."""
        return [it["Properties"] for it in self.resources(type_).values()]

    def functions(self) -> dict[str, dict[str, Any]]:
        """The properties of every function, by its name."""
        return {it["FunctionName"]: it for it in self.properties("AWS::Lambda::Function")}

    def machines(self) -> dict[str, dict[str, Any]]:
        """The properties of every state machine, by its name."""
        return {it["StateMachineName"]: it for it in self.properties("AWS::StepFunctions::StateMachine")}

    def function_of(self, version: str) -> str:
        """The name of the function that a version, given by its logical id, was published from."""
        logical_id = self.resources("AWS::Lambda::Version")[version]["Properties"]["FunctionName"]["Ref"]
        return str(self.resources("AWS::Lambda::Function")[logical_id]["Properties"]["FunctionName"])

    def statements(self, role: Any) -> list[dict[str, Any]]:
        """All that a role, given as a resource refers to it, may do; actions and resources always as lists."""
        logical_id = role["Fn::GetAtt"][0]
        return [
            {**statement, "Action": _listed(statement["Action"]), "Resource": _listed(statement["Resource"])}
            for policy in self.properties("AWS::IAM::Policy")
            if {"Ref": logical_id} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def actions(self, role: Any, service: str = "") -> set[str]:
        """The actions that a role may take, of one service when it is named."""
        allowed = {action for statement in self.statements(role) for action in statement["Action"]}
        return {action for action in allowed if action.startswith(service)}


def text(value: Any) -> str:
    """A value as text, with every reference in braces: `{Ref}`, `{LogicalId.Arn}`."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case {"Ref": name}:
            return f"{{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{{{name}.{attribute}}}"
        case {"Fn::ImportValue": name}:
            return f"{{{name}}}"
    raise ValueError(f"not a text: {value}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
