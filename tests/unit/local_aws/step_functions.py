"""The part of the Step Functions API that deployments use, kept in a dictionary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local.endpoint import StepFunctionsApi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"


class Refused(Exception):
    """Answered as a Step Functions error of this code."""


class StepFunctions:
    """State machines, versions and aliases; an unknown operation or machine is refused."""

    def __init__(self) -> None:
        self.machines: dict[str, dict[str, Any]] = {}
        self.aliases: dict[str, dict[str, Any]] = {}

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        operation = target.partition(".")[2]
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateStateMachine": self.create,
            "UpdateStateMachine": self.update,
            "DescribeStateMachine": lambda r: self.machine(r["stateMachineArn"]),
            "DeleteStateMachine": lambda r: {"deleted": self.machines.pop(r["stateMachineArn"])["name"]},
            "PublishStateMachineVersion": self.publish,
            "DeleteStateMachineVersion": self.delete_version,
            "CreateStateMachineAlias": self.create_alias,
            "UpdateStateMachineAlias": self.update_alias,
            "DescribeStateMachineAlias": lambda r: self.aliases[r["stateMachineAliasArn"]],
            "DeleteStateMachineAlias": lambda r: {"deleted": bool(self.aliases.pop(r["stateMachineAliasArn"]))},
        }
        try:
            return 200, json.dumps(operations[operation](json.loads(body))).encode()
        except Refused as error:
            return 400, json.dumps({"__type": str(error), "message": str(error)}).encode()

    def machine(self, arn: str) -> dict[str, Any]:
        if arn not in self.machines:
            raise Refused("StateMachineDoesNotExist")
        return self.machines[arn]

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = ARN + request["name"]
        if arn in self.machines:
            raise Refused("StateMachineAlreadyExists")
        if "StartAt" not in json.loads(request["definition"]):
            raise Refused("InvalidDefinition")
        made = {**request, "stateMachineArn": arn, "creationDate": 0, "status": "ACTIVE", "revision": 0, "versions": []}
        self.machines[arn] = made
        return {"stateMachineArn": arn, "creationDate": 0}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        machine = self.machine(request["stateMachineArn"])
        if "StartAt" not in json.loads(request["definition"]):
            raise Refused("InvalidDefinition")
        machine.update(request, revision=machine["revision"] + 1, revisionId=f"r{machine['revision'] + 1}")
        return {"updateDate": 0, "revisionId": machine["revisionId"]}

    def publish(self, request: dict[str, Any]) -> dict[str, Any]:
        machine = self.machine(request["stateMachineArn"])
        machine["versions"].append(machine["definition"])
        return {"creationDate": 0, "stateMachineVersionArn": f"{machine['stateMachineArn']}:{len(machine['versions'])}"}

    def delete_version(self, request: dict[str, Any]) -> dict[str, Any]:
        self.machine(request["stateMachineVersionArn"].rpartition(":")[0])
        return {}

    def create_alias(self, request: dict[str, Any]) -> dict[str, Any]:
        machine = request["routingConfiguration"][0]["stateMachineVersionArn"].rpartition(":")[0]
        arn = f"{machine}:{request['name']}"
        self.aliases[arn] = {**request, "stateMachineAliasArn": arn, "creationDate": 0}
        return {"stateMachineAliasArn": arn, "creationDate": 0}

    def update_alias(self, request: dict[str, Any]) -> dict[str, Any]:
        self.aliases[request["stateMachineAliasArn"]].update(request)
        return {"updateDate": 0}


def beside(account: WSGIApplication, stepfunctions: StepFunctionsApi) -> WSGIApplication:
    """One endpoint for both, as local mode has it."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith("AWSStepFunctions."):
            return account(environ, start_response)
        status, body = stepfunctions.handle(target, environ["wsgi.input"].read())
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", "application/x-amz-json-1.0")])
        return [body]

    return app
