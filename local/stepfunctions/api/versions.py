"""Versions and aliases: publish, route, describe, list, delete."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.api.machines import publish
from local.stepfunctions.api.paging import page
from local.stepfunctions.api.store import Alias, MachineStore, StateMachine
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json

Request = dict[str, Any]


class VersionOperations:
    """The operations on versions and aliases."""

    def __init__(self, store: MachineStore) -> None:
        self._store = store

    def publish(self, request: Request, now: float) -> dict[str, Json]:
        """PublishStateMachineVersion."""
        machine = self._store.machine(request["stateMachineArn"])
        wanted = request.get("revisionId")
        if wanted is not None and wanted != (machine.revision.id or "INITIAL"):
            raise ApiError("ConflictException", "Failed to publish the State Machine version for revision")
        version = publish(machine, request.get("description"), now)
        return {"creationDate": version.created, "stateMachineVersionArn": version.arn}

    def list_versions(self, request: Request, now: float) -> dict[str, Json]:
        """ListStateMachineVersions, the latest first."""
        machine = self._store.machine(request["stateMachineArn"])
        found, more = page(reversed(machine.versions.values()), request)
        listed = [{"stateMachineVersionArn": version.arn, "creationDate": version.created} for version in found]
        return {"stateMachineVersions": listed, **more}

    def delete(self, request: Request, now: float) -> dict[str, Json]:
        """DeleteStateMachineVersion; refused while an alias points at it."""
        arn = request["stateMachineVersionArn"]
        try:
            machine, version = self._store.version(arn)
        except ApiError as error:
            if error.code != "StateMachineDoesNotExist":
                raise
            return {}
        users = [alias.name for alias in machine.aliases.values() if arn in alias.routing]
        if users:
            raise ApiError(
                "ConflictException",
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(users)}]",
            )
        del machine.versions[version.number]
        return {}

    def create_alias(self, request: Request, now: float) -> dict[str, Json]:
        """CreateStateMachineAlias: the same request again answers the same."""
        routing, machine = self._routing(request["routingConfiguration"])
        existing = machine.aliases.get(request["name"])
        if existing is not None:
            if (existing.routing, existing.description) != (routing, request.get("description")):
                raise ApiError(
                    "ConflictException",
                    "Failed to create alias because an alias with the same name and a different routing configuration "
                    "already exists.",
                )
            return {"stateMachineAliasArn": existing.arn, "creationDate": existing.created}
        arn = f"{machine.arn}:{request['name']}"
        machine.aliases[request["name"]] = Alias(arn, request["name"], request.get("description"), routing, now, now)
        return {"stateMachineAliasArn": arn, "creationDate": now}

    def _routing(self, entries: list[dict[str, Json]]) -> tuple[dict[str, int], StateMachine]:
        arns = [entry["stateMachineVersionArn"] for entry in entries]
        weights = [entry["weight"] for entry in entries]
        received = f"Received: [{', '.join(arns)}]"
        if not all(arn.rsplit(":", 1)[-1].isdigit() for arn in arns):
            message = "Routing configuration must contain state machine version ARNs. "
            raise ApiError("ValidationException", message + received)
        if len(set(arns)) < len(arns):
            message = "Routing configuration must contain distinct state machine version ARNs. "
            raise ApiError("ValidationException", message + received)
        if sum(weights) != 100:
            message = f"Sum of routing configuration weights must equal 100. Received: {weights}"
            raise ApiError("ValidationException", message)
        machines = [self._store.version(arn)[0] for arn in arns]
        if any(machine is not machines[0] for machine in machines):
            raise ApiError("ValidationException", "Routing configuration must contain versions of one state machine.")
        return dict(zip(arns, weights, strict=True)), machines[0]

    def update_alias(self, request: Request, now: float) -> dict[str, Json]:
        """UpdateStateMachineAlias."""
        _, alias = self._store.alias(request["stateMachineAliasArn"])
        if "routingConfiguration" in request:
            alias.routing = self._routing(request["routingConfiguration"])[0]
        if "description" in request:
            alias.description = request["description"]
        alias.updated = now
        return {"updateDate": now}

    def describe_alias(self, request: Request, now: float) -> dict[str, Json]:
        """DescribeStateMachineAlias."""
        _, alias = self._store.alias(request["stateMachineAliasArn"])
        routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in alias.routing.items()]
        described = {"description": alias.description} if alias.description is not None else {}
        return {
            "stateMachineAliasArn": alias.arn,
            "name": alias.name,
            "routingConfiguration": routing,
            "creationDate": alias.created,
            "updateDate": alias.updated,
            **described,
        }

    def list_aliases(self, request: Request, now: float) -> dict[str, Json]:
        """ListStateMachineAliases, of a machine or of one of its versions."""
        machine, version, _ = self._store.resolve(request["stateMachineArn"])
        aliases = [alias for alias in machine.aliases.values() if version is None or version.arn in alias.routing]
        found, more = page(aliases, request)
        listed = [{"stateMachineAliasArn": alias.arn, "creationDate": alias.created} for alias in found]
        return {"stateMachineAliases": listed, **more}

    def delete_alias(self, request: Request, now: float) -> dict[str, Json]:
        """DeleteStateMachineAlias; no error when there is none."""
        try:
            machine, alias = self._store.alias(request["stateMachineAliasArn"])
        except ApiError as error:
            if error.code != "ResourceNotFound":
                raise
            return {}
        del machine.aliases[alias.name]
        return {}
