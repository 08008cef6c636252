"""Executions: start, stop, describe, list, history."""

from __future__ import annotations

from itertools import islice
from typing import Any

from local.stepfunctions.api.arns import check_name, parse_arn
from local.stepfunctions.api.paging import decode_token, encode_token, page, page_size
from local.stepfunctions.api.store import Alias, MachineStore, Revision, StateMachine, Version
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json, loads, too_large
from local.stepfunctions.runtime.core import Core, Input
from local.stepfunctions.runtime.execution import Execution, Origin
from local.stepfunctions.runtime.history import event_document
from local.stepfunctions.runtime.redrive import redrivable, redrive

Request = dict[str, Any]
UNSUPPORTED = ApiError("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")


class ExecutionOperations:
    """The operations on executions."""

    def __init__(self, core: Core, store: MachineStore) -> None:
        self._core = core
        self._store = store
        core.operations.update(start=self._apply_start, stop=self._apply_stop, redrive=self._apply_redrive)

    def start(
        self,
        request: Request,
        sync: bool = False,
        watcher: tuple[str, int] | None = None,
        starter: str | None = None,
    ) -> tuple[Execution, bool]:
        """Start an execution unless the same one runs already; returns it, and whether it is new.

        What one `starter` has started it finds again, running or not.
        """
        machine_arn, _, mock_case = request["stateMachineArn"].partition("#")
        machine, version, alias = self._store.resolve(machine_arn)
        text = self._input(request)
        name = request.get("name") or self.unique_name()
        check_name(name)
        express = machine.type == "EXPRESS"
        if sync and not express:
            raise UNSUPPORTED
        arn = self._execution_arn(machine, name, express)
        existing = self._core.executions.get(arn)
        if existing is not None:
            if starter is not None and existing.starter == starter:
                return existing, False
            if existing.running and loads(existing.input_text) == loads(text):
                return existing, False
            raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        if alias is not None:
            version = self._routed(alias)
        fields = {
            "arn": arn,
            "name": name,
            "machine": machine.arn,
            "version": version.arn if version is not None else None,
            "alias": alias.arn if alias is not None else None,
            "input": text,
            "trace": request.get("traceHeader"),
            "mock": mock_case or None,
            "watcher": list(watcher) if watcher is not None else None,
            **({"starter": starter} if starter is not None else {}),
        }
        self._core.apply("start", **fields)
        return self._core.executions[arn], True

    def unique_name(self) -> str:
        """A name for an execution that was given none."""
        return self._core.unique_id()

    def began(self, arn: str) -> float | None:
        """When an execution of any kind began; None for one that is not known."""
        execution = self._core.executions.get(arn)
        return execution.started if execution is not None else None

    def _input(self, request: Request) -> str:
        text: str = request.get("input", "{}")
        if not text.strip():
            raise ApiError("InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'")
        if too_large(text):
            raise ApiError("InvalidExecutionInput", "Invalid State Machine Execution Input: 'Input is too large.'")
        try:
            loads(text)
        except ValueError as error:
            reason = parser_words(text)
            message = f"Invalid State Machine Execution Input: '{reason}'"
            raise ApiError("InvalidExecutionInput", message) from error
        return text

    def _execution_arn(self, machine: StateMachine, name: str, express: bool) -> str:
        if express:
            return f"{machine.arn.replace(':stateMachine:', ':express:')}:{name}:{self._core.unique_id()}"
        return f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"

    def _routed(self, alias: Alias) -> Version:
        drawn = self._core.draw() * 100
        for arn, weight in alias.routing.items():
            drawn -= weight
            if drawn < 0:
                return self._store.version(arn)[1]
        return self._store.version(next(iter(alias.routing)))[1]

    def _apply_start(self, record: Input) -> None:
        machine = self._store.machines[record["machine"]]
        version = self._store.version(record["version"])[1] if record["version"] else None
        revision = version.revision if version is not None else machine.revision
        execution = Execution(
            arn=record["arn"],
            name=record["name"],
            origin=_origin(machine, revision, record["version"], record["alias"]),
            input_text=record["input"],
            started=record["t"],
            randomness=self._core.randomness_of(record["arn"]),
            trace_header=record["trace"],
            mock_case=record["mock"],
            starter=record.get("starter"),
        )
        if record["watcher"]:
            execution.watchers.append((record["watcher"][0], record["watcher"][1]))
        self._core.begin(execution)

    def find(self, arn: str) -> Execution:
        """A standard execution by ARN; raises ApiError."""
        parse_arn(arn, "execution")
        execution = self._core.executions.get(arn)
        if execution is None:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return execution

    def stop(self, request: Request) -> dict[str, Json]:
        """StopExecution; one that has ended answers when it did."""
        execution = self.find(request["executionArn"])
        if execution.running:
            error, cause = request.get("error"), request.get("cause")
            self._core.apply("stop", arn=execution.arn, error=error, cause=cause)
        return {"stopDate": execution.stopped}

    def _apply_stop(self, record: Input) -> None:
        execution = self._core.executions[record["arn"]]
        self._core.interpreter.endings.abort(execution, record["error"], record["cause"])

    def redrive(self, request: Request) -> dict[str, Json]:
        """RedriveExecution: run on from where a failed execution stopped."""
        execution = self.find(request["executionArn"])
        able, reason = redrivable(execution, self._core.now)
        if not able:
            raise ApiError("ExecutionNotRedrivable", reason)
        self._core.apply("redrive", arn=execution.arn)
        return {"redriveDate": execution.redriven}

    def _apply_redrive(self, record: Input) -> None:
        redrive(self._core.interpreter, self._core.executions[record["arn"]])

    def describe(self, request: Request) -> dict[str, Json]:
        """DescribeExecution."""
        execution = self.find(request["executionArn"])
        shown = described(execution, request.get("includedData") != "METADATA_ONLY")
        able, reason = redrivable(execution, self._core.now)
        shown["redriveCount"] = execution.redrives
        shown["redriveStatus"] = "REDRIVABLE" if able else "NOT_REDRIVABLE"
        if not able:
            shown["redriveStatusReason"] = reason
        if execution.redriven is not None:
            shown["redriveDate"] = execution.redriven
        return shown

    def list(self, request: Request) -> dict[str, Json]:
        """ListExecutions of a machine, version, alias or map run, the last started first."""
        group = request.get("stateMachineArn") or request.get("mapRunArn")
        if group is None:
            raise ApiError("ValidationException", "Must provide a stateMachineArn or a mapRunArn")
        if "stateMachineArn" in request:
            machine, _, _ = self._store.resolve(group)
            if machine.type == "EXPRESS":
                raise UNSUPPORTED
        size = page_size(request)
        before = decode_token(request.get("nextToken"))
        newest = self._core.executions.newest_first(group, request.get("statusFilter"), before)
        found = list(islice(newest, size + 1))
        answer: dict[str, Json] = {"executions": [_listed(execution) for _, execution in found[:size]]}
        if len(found) > size:
            answer["nextToken"] = encode_token(found[size - 1][0])
        return answer

    def history(self, request: Request) -> dict[str, Json]:
        """GetExecutionHistory, forwards or backwards, page by page."""
        execution = self.find(request["executionArn"])
        events = execution.history.events
        found, more = page(reversed(events) if request.get("reverseOrder") else events, request)
        include = request.get("includeExecutionData", True)
        return {"events": [event_document(event, include) for event in found], **more}

    def machine_of(self, request: Request) -> dict[str, Json]:
        """DescribeStateMachineForExecution: the machine as it was when the execution began."""
        execution = self.find(request["executionArn"])
        origin = execution.origin
        machine = self._store.machines.get(origin.machine_arn)
        revision = machine.revision if machine is not None else None
        answer: dict[str, Json] = {
            "stateMachineArn": origin.machine_arn,
            "name": origin.machine_name,
            "definition": origin.definition,
            "roleArn": origin.role_arn,
            "updateDate": origin.updated,
            "loggingConfiguration": revision.logging if revision else {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": revision.tracing if revision else {"enabled": False},
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        }
        if origin.references:
            answer["variableReferences"] = origin.references
        if origin.revision is not None:
            answer["revisionId"] = origin.revision
        if execution.map_run is not None:
            answer["mapRunArn"] = execution.map_run.arn
        return answer


def _origin(machine: StateMachine, revision: Revision, version: str | None, alias: str | None) -> Origin:
    return Origin(
        machine_arn=machine.arn,
        machine_name=machine.name,
        definition=revision.definition,
        role_arn=revision.role_arn,
        express=machine.type == "EXPRESS",
        revision=revision.id,
        program=revision.program,
        version_arn=version,
        alias_arn=alias,
        updated=revision.updated,
        references=revision.references,
    )


def described(execution: Execution, data: bool = True) -> dict[str, Json]:
    """What the service shows of an execution, with its input and output when `data` is asked for."""
    shown: dict[str, Json] = {
        **_identified(execution),
        "traceHeader": execution.trace_header,
        "error": execution.error,
        "cause": execution.cause,
        "inputDetails": {"included": data},
    }
    if data:
        shown["input"] = execution.input_text
    if execution.output_text is not None:
        shown["outputDetails"] = {"included": data}
        if data:
            shown["output"] = execution.output_text
    return {key: value for key, value in shown.items() if value is not None}


def _identified(execution: Execution) -> dict[str, Json]:
    """What describing and listing an execution both show; None where there is nothing to show."""
    origin = execution.origin
    return {
        "executionArn": execution.arn,
        "stateMachineArn": origin.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
        "stopDate": execution.stopped,
        "stateMachineVersionArn": origin.version_arn,
        "stateMachineAliasArn": origin.alias_arn,
        "mapRunArn": execution.map_run.arn if execution.map_run is not None else None,
    }


def _listed(execution: Execution) -> dict[str, Json]:
    shown: dict[str, Json] = {
        **_identified(execution),
        "redriveCount": execution.redrives,
        "redriveDate": execution.redriven,
    }
    return {key: value for key, value in shown.items() if value is not None}


def parser_words(text: str) -> str:
    """Why a text is not JSON, in the words of the parser that AWS uses (Jackson)."""
    stripped = text.lstrip()
    word = ""
    for char in stripped:
        if not (char.isalnum() or char == "_"):
            break
        word += char
    if word and not word[0].isdigit():
        expected = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
        return f"Unrecognized token '{word}': was expecting ({expected})"
    if stripped.startswith("{") and stripped[1:].lstrip()[:1] not in ('"', "}", ""):
        char = stripped[1:].lstrip()[0]
        return f"Unexpected character ('{char}' (code {ord(char)})): was expecting double-quote to start field name"
    return "Invalid execution input."
