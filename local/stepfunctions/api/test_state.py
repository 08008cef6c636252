"""TestState: one state on its own, with a mocked or a real task, and a look at the data between its fields."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, cast

from local.stepfunctions.api.inspection import Inspection
from local.stepfunctions.api.mocked_context import build_context, check_context
from local.stepfunctions.api.mocked_results import check_mock
from local.stepfunctions.asl.compiler import compile_state
from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import (
    ChoiceSpec,
    FailSpec,
    MapSpec,
    ParallelSpec,
    PassSpec,
    State,
    TaskSpec,
    WaitSpec,
)
from local.stepfunctions.asl.recovery import error_output, matches
from local.stepfunctions.asl.validation import SINGLE, diagnose, diagnose_state, parse_definition
from local.stepfunctions.errors import ApiError, Fault, InvalidDefinitionError, StateFailure
from local.stepfunctions.jsontext import Json, dumps, loads
from local.stepfunctions.runtime.core import Core
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from local.stepfunctions.runtime.map_run import THRESHOLD

Request = dict[str, Any]
MOCKABLE = ("Task", "Map", "Parallel")


class StateTester:
    """Runs single states; `perform` makes the calls of tasks that are not mocked."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.perform: Callable[[TaskRequest], Outcome] = lambda request: Outcome("succeeded", output="null")

    def test(self, request: Request) -> dict[str, Json]:
        """TestState; raises ApiError for a request that AWS refuses."""
        definition, language = _find_state(request)
        mock = request.get("mock")
        _check_request(request, definition, mock)
        state = compile_state(SINGLE, definition, language)
        if mock is not None:
            check_mock(request, definition, state)
        return _Run(self, self._core, request, state).run()


def _find_state(request: Request) -> tuple[dict[str, Json], str]:
    try:
        definition = parse_definition(request["definition"])
    except ValueError as error:
        message = "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object"
        raise InvalidDefinitionError(message) from error
    language = definition.get("QueryLanguage", "JSONPath")
    if "States" in definition:
        found = _named(definition, request.get("stateName", ""))
        if found is None:
            raise ApiError("ValidationException", "State not found in definition")
        problems = diagnose(request["definition"])
    else:
        found = definition
        problems = diagnose_state(definition)
    if problems:
        first = problems[0]
        place = f" at {first['location']}" if "location" in first else ""
        raise InvalidDefinitionError(f"{first['code']}: {first['message']}{place}")
    return found, language


def _named(block: dict[str, Json], name: str) -> dict[str, Json] | None:
    for key, state in block["States"].items():
        if key == name:
            return cast("dict[str, Json]", state)
        inner = [
            *state.get("Branches", ()),
            *(state[field] for field in ("ItemProcessor", "Iterator") if field in state),
        ]
        for nested in inner:
            found = _named(nested, name)
            if found is not None:
                return found
    return None


def _check_request(request: Request, definition: dict[str, Json], mock: Json) -> None:
    kind = definition["Type"]
    if mock is None and kind in ("Map", "Parallel"):
        raise ApiError(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. "
            "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
        )
    if mock is not None and request.get("revealSecrets"):
        raise ApiError("ValidationException", "TestState does not support RevealSecrets when a mock is specified.")
    if mock is not None and "result" in mock and "errorOutput" in mock:
        raise ApiError(
            "ValidationException", "A test mock should have only one of the following fields: [result, errorOutput]."
        )
    if mock is not None and kind not in MOCKABLE:
        raise ApiError("ValidationException", f"State type '{kind}' is not supported when a mock is specified")
    if mock is None and kind == "Task" and not request.get("roleArn"):
        raise ApiError("ValidationException", "RoleArn must be specified when testing a Task state")
    check_context(request.get("context"), definition)


class _Run:
    """One run of one state."""

    def __init__(self, tester: StateTester, core: Core, request: Request, state: State) -> None:
        self._tester = tester
        self._state = state
        self._mock = request.get("mock")
        self._configuration = request.get("stateConfiguration", {})
        self._raw = loads(request.get("input", "{}"))
        self._now = core.now
        self._random = Random()  # noqa: S311 - jitter of a state that is not run
        variables = loads(request.get("variables", "{}"))
        context = build_context(request, core, self._raw, state, self._configuration)
        self._environment = Environment(lambda: context, variables)
        self._token = context.get("Task", {}).get("Token")
        self._seen = Inspection(request.get("inspectionLevel", "INFO"), self._raw, variables)

    def run(self) -> dict[str, Json]:
        try:
            selected = self._state.flow.select(self._raw, self._environment)
            if not self._state.flow.jsonata and not self._hides_input():
                self._seen.note("afterInputPath", selected)
            return self._body(selected)
        except Fault as fault:
            return self._failed(StateFailure(fault.error, fault.message))
        except StateFailure as failure:
            return self._failed(failure)

    def _hides_input(self) -> bool:
        spec = self._state.spec
        return isinstance(spec, ParallelSpec) or (isinstance(spec, PassSpec) and not spec.computed)

    def _body(self, selected: Json) -> dict[str, Json]:
        spec, flow = self._state.spec, self._state.flow
        if isinstance(spec, ChoiceSpec):
            return self._choice(spec, selected)
        if isinstance(spec, FailSpec):
            error, cause = spec.error(selected, self._environment), spec.cause(selected, self._environment)
            return self._answer("FAILED", error=error, cause=cause)
        if isinstance(spec, WaitSpec):
            spec.until(selected, self._environment, self._now)
        elif isinstance(spec, PassSpec) and not flow.jsonata:
            return self._pass(spec, selected)
        elif spec is not None and not isinstance(spec, PassSpec):
            return self._work(selected)
        return self._succeeded(flow.pass_through(selected, self._environment))

    def _choice(self, spec: ChoiceSpec, selected: Json) -> dict[str, Json]:
        for rule in spec.rules:
            if rule.holds(selected, self._environment):
                write = rule.output or self._state.flow.pass_through
                return self._succeeded(write(selected, self._environment), rule.next)
        if spec.default is None:
            raise StateFailure("States.NoChoiceMatched", "Failed to transition out of the state 'StateName'.")
        return self._succeeded(self._state.flow.pass_through(selected, self._environment), spec.default)

    def _pass(self, spec: PassSpec, selected: Json) -> dict[str, Json]:
        if spec.computed:
            result = self._state.flow.arguments(selected, self._environment)
            self._seen.note("afterParameters", result)
        else:
            result = spec.result
            self._seen.note("result", result)
        return self._finish(selected, result)

    def _work(self, selected: Json) -> dict[str, Json]:
        if isinstance(self._state.spec, MapSpec):
            self._map_settings(self._state.spec, selected)
            arguments: Json = None
        else:
            arguments = self._state.flow.arguments(selected, self._environment)
            if isinstance(self._state.spec, TaskSpec):
                self._seen.note("afterArguments" if self._state.flow.jsonata else "afterParameters", arguments)
        result = self._result(arguments)
        if isinstance(self._state.spec, TaskSpec):
            self._seen.note("result", result)
        return self._finish(selected, result)

    def _map_settings(self, spec: MapSpec, selected: Json) -> None:
        environment = self._environment
        if spec.reader is None:
            items = spec.items(selected, environment)
            if not self._state.flow.jsonata:
                self._seen.note("afterItemsPath", items)
        self._seen.set("maxConcurrency", int(spec.max_concurrency(selected, environment)))
        if spec.tolerated_count is not None:
            self._seen.set("toleratedFailureCount", int(spec.tolerated_count(selected, environment)))
        if spec.tolerated_percentage is not None:
            self._seen.set("toleratedFailurePercentage", float(spec.tolerated_percentage(selected, environment)))

    def _result(self, arguments: Json) -> Json:
        if self._mock is None:
            return self._called(arguments)
        if "errorOutput" in self._mock:
            failure = StateFailure(self._mock["errorOutput"].get("error"), self._mock["errorOutput"].get("cause"))
            failure.from_task = isinstance(self._state.spec, TaskSpec)
            raise failure
        result = loads(self._mock["result"])
        if isinstance(self._state.spec, MapSpec):
            self._check_tolerance(len(result) if isinstance(result, list) else 0)
        return result

    def _check_tolerance(self, total: int) -> None:
        failed = self._configuration.get("mapIterationFailureCount", 0)
        count = self._seen.value("toleratedFailureCount")
        share = self._seen.value("toleratedFailurePercentage")
        over = (count is not None and failed > count) or (share is not None and 100 * failed > share * max(total, 1))
        if over:
            raise StateFailure("States.ExceedToleratedFailureThreshold", THRESHOLD)

    def _called(self, arguments: Json) -> Json:
        resource = cast("TaskSpec", self._state.spec).resource
        outcome = self._tester.perform(TaskRequest("", 0, SINGLE, resource, arguments, self._token))
        if outcome.kind == "failed":
            failure = StateFailure(outcome.error, outcome.cause)
            failure.from_task = True
            raise failure
        return loads(outcome.output or "null")

    def _finish(self, selected: Json, result: Json) -> dict[str, Json]:
        flow = self._state.flow
        if not flow.jsonata:
            shaped = flow.shape(result, self._environment)
            self._seen.note("afterResultSelector", shaped)
            self._seen.note("afterResultPath", flow.place(self._raw, shaped))
        return self._succeeded(flow.output(self._raw, selected, result, self._environment), result=result)

    def _succeeded(self, output: Json, next_name: str | None = None, result: Json = None) -> dict[str, Json]:
        assigned = self._state.flow.assign(result, self._environment)
        if assigned:
            self._seen.assigned(assigned)
        return self._answer("SUCCEEDED", output=dumps(output), nextState=next_name or self._state.next)

    def _failed(self, failure: StateFailure) -> dict[str, Json]:
        attempt = self._configuration.get("retrierRetryCount", 0)
        for index, retrier in enumerate(self._state.retriers):
            if matches(retrier.error_equals, failure) and attempt < retrier.max_attempts:
                seconds = round(retrier.delay(attempt, self._random))
                self._seen.set("errorDetails", {"retryIndex": index, "retryBackoffIntervalSeconds": seconds})
                return self._answer("RETRIABLE", error=failure.error, cause=failure.cause)
        for index, catcher in enumerate(self._state.catchers):
            if matches(catcher.error_equals, failure):
                caught = error_output(failure)
                states = {"input": self._raw, "context": self._environment.context, "errorOutput": caught}
                self._environment.states = states
                output = dumps(catcher.output(self._raw, caught, self._environment))
                self._seen.set("errorDetails", {"catchIndex": index})
                details = {"error": failure.error, "cause": failure.cause, "output": output}
                return self._answer("CAUGHT_ERROR", nextState=catcher.next, **details)
        return self._answer("FAILED", error=failure.error, cause=failure.cause)

    def _answer(self, status: str, **details: Json) -> dict[str, Json]:
        answer = {"status": status, **{name: value for name, value in details.items() if value is not None}}
        if self._seen.wanted:
            answer["inspectionData"] = self._seen.data
        return answer
