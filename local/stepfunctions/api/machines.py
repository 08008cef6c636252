"""State machines: create, update, describe, delete, list, validate."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from local.stepfunctions.api.arns import check_name
from local.stepfunctions.api.paging import page
from local.stepfunctions.api.store import MachineStore, Revision, StateMachine, Version
from local.stepfunctions.asl.compiler import compile_definition
from local.stepfunctions.asl.references import variable_references
from local.stepfunctions.asl.validation import diagnose, parse_definition
from local.stepfunctions.errors import ApiError, InvalidDefinitionError
from local.stepfunctions.jsontext import Json

Request = dict[str, Any]
MAX_DEFINITION = 1_048_576
_NO_LOGGING = {"level": "OFF", "includeExecutionData": False}
_OWNED_KEY = {"type": "AWS_OWNED_KEY"}


class MachineOperations:
    """The operations on state machines; `now` is the moment of the request."""

    def __init__(self, store: MachineStore, account: str, region: str) -> None:
        self._store = store
        self._prefix = f"arn:aws:states:{region}:{account}:stateMachine:"

    def create(self, request: Request, now: float) -> dict[str, Json]:
        """CreateStateMachine: the same request again answers the same, another definition is a conflict."""
        check_name(request["name"])
        kind = request.get("type", "STANDARD")
        if request.get("versionDescription") and not request.get("publish"):
            raise ApiError("ValidationException", "Version description can only be set when publish is true")
        revision = _revision(request, kind, None, now)
        arn = self._prefix + request["name"]
        existing = self._store.machines.get(arn)
        if existing is not None:
            return self._create_again(existing, request, revision, kind)
        machine = StateMachine(arn, request["name"], kind, now, revision)
        machine.tags = {tag["key"]: tag.get("value", "") for tag in request.get("tags", ())}
        self._store.machines[arn] = machine
        answer: dict[str, Json] = {"stateMachineArn": arn, "creationDate": now}
        if request.get("publish"):
            answer["stateMachineVersionArn"] = publish(machine, request.get("versionDescription"), now).arn
        return answer

    def _create_again(self, machine: StateMachine, request: Request, revision: Revision, kind: str) -> dict[str, Json]:
        current = machine.revision
        same = (current.definition, machine.type, current.logging, current.tracing, current.encryption)
        if same != (revision.definition, kind, revision.logging, revision.tracing, revision.encryption):
            raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine.arn}'")
        answer: dict[str, Json] = {"stateMachineArn": machine.arn, "creationDate": machine.created}
        if request.get("publish"):
            answer["stateMachineVersionArn"] = publish(machine, request.get("versionDescription"), machine.created).arn
        return answer

    def update(self, request: Request, now: float) -> dict[str, Json]:
        """UpdateStateMachine: running executions keep the definition they began with."""
        machine = self._store.machine(request["stateMachineArn"])
        fields = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
        if not any(request.get(name) is not None for name in fields):
            raise ApiError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
                "must be specified",
            )
        if request.get("versionDescription") and not request.get("publish"):
            raise ApiError("ValidationException", "Version description can only be set when publish is true")
        revision = _revision(request, machine.type, machine.revision, now)
        if _content(revision) != _content(machine.revision):
            machine.revisions_made += 1
            identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{machine.arn}:{machine.created}:{machine.revisions_made}"))
            machine.revision = replace(revision, id=identity)
        answer: dict[str, Json] = {"updateDate": now}
        if machine.revision.id is not None:
            answer["revisionId"] = machine.revision.id
        if request.get("publish"):
            answer["stateMachineVersionArn"] = publish(machine, request.get("versionDescription"), now).arn
        return answer

    def describe(self, request: Request, now: float) -> dict[str, Json]:
        """DescribeStateMachine, of a machine, a version or an alias's first version."""
        machine, version, alias = self._store.resolve(request["stateMachineArn"])
        if alias is not None:
            _, version = self._store.version(next(iter(alias.routing)))
        revision = version.revision if version is not None else machine.revision
        answer: dict[str, Json] = {
            "stateMachineArn": version.arn if version is not None else machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "type": machine.type,
            "creationDate": version.created if version is not None else machine.created,
            **described(revision),
        }
        if revision.id is not None:
            answer["revisionId"] = revision.id
        if version is not None and version.description is not None:
            answer["description"] = version.description
        return answer

    def delete(self, request: Request, now: float) -> dict[str, Json]:
        """DeleteStateMachine: no error when there is none; its executions run on."""
        machine_arn = request["stateMachineArn"]
        try:
            self._store.machine(machine_arn)
        except ApiError as error:
            if error.code != "StateMachineDoesNotExist":
                raise
            return {}
        del self._store.machines[machine_arn]
        return {}

    def list(self, request: Request, now: float) -> dict[str, Json]:
        """ListStateMachines."""
        machines, more = page(self._store.machines.values(), request)
        listed = [
            {
                "stateMachineArn": machine.arn,
                "name": machine.name,
                "type": machine.type,
                "creationDate": machine.created,
            }
            for machine in machines
        ]
        return {"stateMachines": listed, **more}

    def validate(self, request: Request, now: float) -> dict[str, Json]:
        """ValidateStateMachineDefinition: every diagnostic, up to maxResults."""
        found = diagnose(request["definition"], request.get("type", "STANDARD"))
        limit = request.get("maxResults") or 100
        failed = any(item["severity"] == "ERROR" for item in found)
        return {"result": "FAIL" if failed else "OK", "diagnostics": found[:limit], "truncated": len(found) > limit}


def described(revision: Revision) -> dict[str, Json]:
    """What Describe calls show of a revision."""
    shown: dict[str, Json] = {
        "definition": revision.definition,
        "roleArn": revision.role_arn,
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": revision.encryption,
    }
    if revision.references:
        shown["variableReferences"] = revision.references
    return shown


def publish(machine: StateMachine, description: str | None, now: float) -> Version:
    """Publish the current revision; a revision that is the latest version already keeps its number."""
    latest = machine.versions.get(machine.versions_made)
    if latest is not None and latest.revision is machine.revision:
        return latest
    machine.versions_made += 1
    number = machine.versions_made
    version = Version(f"{machine.arn}:{number}", number, machine.revision, description, now)
    machine.versions[number] = version
    return version


def _revision(request: Request, kind: str, base: Revision | None, now: float) -> Revision:
    text = request.get("definition")
    if text is None and base is not None:
        text, program, references = base.definition, base.program, base.references
    else:
        program, references = _compile(text or "", kind)
    logging = request.get("loggingConfiguration")
    return Revision(
        id=base.id if base is not None else None,
        definition=text or "",
        role_arn=request.get("roleArn") or (base.role_arn if base is not None else ""),
        program=program,
        updated=now,
        logging=_logging(logging) if logging is not None else (base.logging if base is not None else _NO_LOGGING),
        tracing=request.get("tracingConfiguration") or (base.tracing if base is not None else {"enabled": False}),
        encryption=request.get("encryptionConfiguration") or (base.encryption if base is not None else _OWNED_KEY),
        references=references,
    )


def _compile(text: str, kind: str) -> tuple[Any, dict[str, list[str]]]:
    if len(text.encode()) > MAX_DEFINITION:
        raise InvalidDefinitionError(f"The definition must not be longer than {MAX_DEFINITION} bytes")
    errors = [item for item in diagnose(text, kind) if item["severity"] == "ERROR"]
    if errors:
        raise InvalidDefinitionError(", ".join(_worded(item) for item in errors))
    definition = parse_definition(text)
    return compile_definition(definition), variable_references(definition)


def _worded(item: dict[str, Json]) -> str:
    place = f" at {item['location']}" if "location" in item else ""
    return f"{item['code']}: {item['message']}{place}"


def _logging(configuration: dict[str, Json]) -> dict[str, Json]:
    level = configuration.get("level", "OFF")
    destinations = configuration.get("destinations") or []
    if level != "OFF" and len(destinations) != 1:
        raise ApiError(
            "InvalidLoggingConfiguration", "Invalid Logging Configuration: Must specify exactly one Log Destination."
        )
    return {
        "level": level,
        "includeExecutionData": bool(configuration.get("includeExecutionData", False)),
        **({"destinations": destinations} if "destinations" in configuration else {}),
    }


def _content(revision: Revision) -> tuple[Json, ...]:
    return (revision.definition, revision.role_arn, revision.logging, revision.tracing, revision.encryption)
