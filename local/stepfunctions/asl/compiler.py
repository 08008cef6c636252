"""Validated definition to Program: every path, template, query and rule is parsed here, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from local.stepfunctions.asl import choice, program
from local.stepfunctions.asl.dataflow import DataFlow, JsonataFlow, JsonPathFlow
from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.fields import optional_number, text_field
from local.stepfunctions.asl.jsonata import compile_query, compile_query_template, is_expression
from local.stepfunctions.asl.jsonpath import PathNotFoundError, ReferencePath
from local.stepfunctions.asl.map_compiler import compile_map
from local.stepfunctions.asl.recovery import Catcher, Retrier
from local.stepfunctions.asl.resources import parse_resource
from local.stepfunctions.asl.template import compile_template
from local.stepfunctions.asl.wait import compile_wait
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json, dumps


def compile_definition(definition: dict[str, Json]) -> program.Program:
    """Compile a definition that `validation.diagnose` found no error in."""
    language = definition.get("QueryLanguage", "JSONPath")
    return program.Program(compile_block(definition, language), definition.get("TimeoutSeconds"))


def compile_block(block: dict[str, Json], language: str) -> program.Block:
    """Compile the states of a machine, branch or processor."""
    states = {name: compile_state(name, state, language) for name, state in block["States"].items()}
    return program.Block(block["StartAt"], states)


def compile_state(name: str, state: dict[str, Json], language: str) -> program.State:
    """Compile one state; its own QueryLanguage goes before the machine's."""
    jsonata = state.get("QueryLanguage", language) == "JSONata"
    return program.State(
        name=name,
        type=state["Type"],
        next=state.get("Next"),
        flow=_flow(state, jsonata),
        retriers=tuple(_retrier(entry) for entry in state.get("Retry", ())),
        catchers=tuple(_catcher(entry, jsonata) for entry in state.get("Catch", ())),
        spec=_spec(state, jsonata, language),
    )


def _flow(state: dict[str, Json], jsonata: bool) -> DataFlow:
    if jsonata:
        return JsonataFlow(state)
    if state["Type"] == "Map":  # a legacy Map's Parameters are its ItemSelector
        return JsonPathFlow({key: value for key, value in state.items() if key != "Parameters"})
    return JsonPathFlow(state)


def _spec(state: dict[str, Json], jsonata: bool, language: str) -> program.Spec:
    kind = state["Type"]
    if kind == "Parallel":
        return program.ParallelSpec(tuple(compile_block(branch, language) for branch in state["Branches"]))
    if kind == "Map":
        processor = state.get("ItemProcessor") or state["Iterator"]
        return compile_map(state, compile_block(processor, language), jsonata)
    simple: dict[str, Callable[[], program.Spec]] = {
        "Pass": lambda: program.PassSpec(state.get("Result", program.NO_RESULT)),
        "Wait": lambda: program.WaitSpec(compile_wait(state)),
        "Choice": lambda: _choice(state, jsonata),
        "Fail": lambda: program.FailSpec(text_field(state, "Error"), text_field(state, "Cause")),
        "Task": lambda: _task(state, jsonata),
        "Succeed": lambda: None,
    }
    return simple[kind]()


def _task(state: dict[str, Json], jsonata: bool) -> program.TaskSpec:
    credentials = None
    if "Credentials" in state:
        if jsonata:
            query = compile_query_template(state["Credentials"], "Credentials")
            credentials = lambda document, environment: query(environment)  # noqa: E731
        else:
            credentials = compile_template(state["Credentials"])
    return program.TaskSpec(
        parse_resource(state["Resource"]),
        optional_number(state, "TimeoutSeconds"),
        optional_number(state, "HeartbeatSeconds"),
        credentials,
    )


def _choice(state: dict[str, Json], jsonata: bool) -> program.ChoiceSpec:
    return program.ChoiceSpec(
        tuple(_rule(rule, index, jsonata) for index, rule in enumerate(state["Choices"])), state.get("Default")
    )


def _rule(rule: dict[str, Json], index: int, jsonata: bool) -> program.ChoiceRule:
    holds = _condition(rule["Condition"], index) if jsonata else choice.compile_rule(rule)
    output = None
    if "Output" in rule:
        output_query = compile_query_template(rule["Output"], f"Choices[{index}]/Output")
        output = lambda document, environment: output_query(environment)  # noqa: E731
    return program.ChoiceRule(holds, rule["Next"], output, _assign(rule, f"Choices[{index}]/Assign", jsonata))


def _condition(condition: Json, index: int) -> choice.Predicate:
    if not is_expression(condition):
        return lambda document, environment: condition is True
    query = compile_query(condition, f"Choices[{index}]/Condition", "boolean")
    return lambda document, environment: query(environment) is True


def _assign(
    holder: dict[str, Json], location: str, jsonata: bool
) -> Callable[[Json, Environment], dict[str, Json]] | None:
    if not holder.get("Assign"):
        return None
    if jsonata:
        query = compile_query_template(holder["Assign"], location)
        return lambda document, environment: cast("dict[str, Json]", query(environment))
    return compile_template(holder["Assign"])


def _retrier(entry: dict[str, Json]) -> Retrier:
    return Retrier(
        tuple(entry["ErrorEquals"]),
        entry.get("IntervalSeconds", 1),
        entry.get("MaxAttempts", 3),
        entry.get("BackoffRate", 2.0),
        entry.get("MaxDelaySeconds"),
        entry.get("JitterStrategy") == "FULL",
    )


def _catcher(entry: dict[str, Json], jsonata: bool) -> Catcher:
    assign = _assign(entry, "Catch/Assign", jsonata)
    output = _caught_query(entry) if jsonata else _caught_path(entry)
    return Catcher(tuple(entry["ErrorEquals"]), entry["Next"], output, assign)


def _caught_query(entry: dict[str, Json]) -> Callable[[Json, Json, Environment], Json]:
    if "Output" not in entry:
        return lambda raw, error, environment: error
    query = compile_query_template(entry["Output"], "Catch/Output")
    return lambda raw, error, environment: query(environment)


def _caught_path(entry: dict[str, Json]) -> Callable[[Json, Json, Environment], Json]:
    text = entry.get("ResultPath", "$")
    if text is None:
        return lambda raw, error, environment: raw
    if text == "$":
        return lambda raw, error, environment: error
    path = ReferencePath(text)

    def put(raw: Json, error: Json, environment: Environment) -> Json:
        try:
            return path.put(raw, error)
        except PathNotFoundError as missing:
            message = f"Unable to apply ReferencePath {text} to input {dumps(raw)}"
            raise Fault(message, "States.ResultPathMatchFailure") from missing

    return put
