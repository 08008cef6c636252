"""How data passes through a state, in either query language, behind one shape.

select      what the state works on: InputPath; the raw input in JSONata
arguments   what is sent to the task or the processor: Parameters; Arguments
output      what the next state gets: ResultSelector, ResultPath, OutputPath; Output
assign      the variables set on leaving: Assign
"""

from __future__ import annotations

from typing import Protocol

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.jsonata import compile_query_template
from local.stepfunctions.asl.jsonpath import Evaluate, PathNotFoundError, ReferencePath, compile_path
from local.stepfunctions.asl.template import compile_template
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json, dumps


class DataFlow(Protocol):
    """One state's data flow; every method may raise Fault."""

    jsonata: bool

    def select(self, raw: Json, environment: Environment) -> Json:
        """The part of the raw input that the state works on."""
        ...

    def arguments(self, selected: Json, environment: Environment) -> Json:
        """What the state sends to its task, branches or iterations."""
        ...

    def output(self, raw: Json, selected: Json, result: Json, environment: Environment) -> Json:
        """The state's output, from its raw input and its result."""
        ...

    def shape(self, result: Json, environment: Environment) -> Json:
        """ResultSelector alone; the result itself in JSONata."""
        ...

    def place(self, raw: Json, result: Json) -> Json:
        """ResultPath alone; the result itself in JSONata."""
        ...

    def pass_through(self, selected: Json, environment: Environment) -> Json:
        """The output of a state that has no result of its own."""
        ...

    def assign(self, document: Json, environment: Environment) -> dict[str, Json] | None:
        """The variables to set, None for none; `document` is what `$` stands for in JSONPath."""
        ...


def path_field(state: dict[str, Json], field: str) -> Evaluate | None:
    """InputPath or OutputPath: None when it changes nothing; null selects an empty object."""
    text = state.get(field, "$")
    if text == "$":
        return None
    if text is None:
        return lambda document, environment: {}
    path = compile_path(text).evaluate

    def evaluate(document: Json, environment: Environment) -> Json:
        try:
            return path(document, environment)
        except PathNotFoundError as error:
            raise Fault(f"Invalid path '{text}' : {error}") from error

    return evaluate


class JsonPathFlow:
    """The five fields of JSONPath; absent ones cost nothing."""

    jsonata = False

    def __init__(self, state: dict[str, Json], parameters: str = "Parameters") -> None:
        self._input_path = path_field(state, "InputPath")
        self._parameters = compile_template(state[parameters]) if parameters in state else None
        self._result_selector = compile_template(state["ResultSelector"]) if "ResultSelector" in state else None
        result_path = state.get("ResultPath", "$")
        self._discard_result = result_path is None
        self._result_path = ReferencePath(result_path) if result_path not in ("$", None) else None
        self._output_path = path_field(state, "OutputPath")
        self._assign = compile_template(state["Assign"]) if state.get("Assign") else None

    def select(self, raw: Json, environment: Environment) -> Json:
        """Apply InputPath."""
        return raw if self._input_path is None else self._input_path(raw, environment)

    def arguments(self, selected: Json, environment: Environment) -> Json:
        """Apply Parameters."""
        return selected if self._parameters is None else self._parameters(selected, environment)

    def output(self, raw: Json, selected: Json, result: Json, environment: Environment) -> Json:
        """Apply ResultSelector, ResultPath and OutputPath."""
        combined = self.place(raw, self.shape(result, environment))
        return combined if self._output_path is None else self._output_path(combined, environment)

    def shape(self, result: Json, environment: Environment) -> Json:
        """ResultSelector alone."""
        return result if self._result_selector is None else self._result_selector(result, environment)

    def place(self, raw: Json, result: Json) -> Json:
        """ResultPath alone: the raw input and the result put together."""
        if self._discard_result:
            return raw
        if self._result_path is None:
            return result
        try:
            return self._result_path.put(raw, result)
        except PathNotFoundError as error:
            message = f"Unable to apply ReferencePath {self._result_path.text} to input {dumps(raw)}"
            raise Fault(message, "States.ResultPathMatchFailure") from error

    def pass_through(self, selected: Json, environment: Environment) -> Json:
        """OutputPath alone, for states without a result."""
        return selected if self._output_path is None else self._output_path(selected, environment)

    def assign(self, document: Json, environment: Environment) -> dict[str, Json] | None:
        """Evaluate Assign against `document`."""
        if self._assign is None:
            return None
        assigned: dict[str, Json] = self._assign(document, environment)
        return assigned


class JsonataFlow:
    """Arguments, Output and Assign of a JSONata state."""

    jsonata = True

    def __init__(self, state: dict[str, Json]) -> None:
        self._arguments = compile_query_template(state["Arguments"], "Arguments") if "Arguments" in state else None
        self._output = compile_query_template(state["Output"], "Output") if "Output" in state else None
        self._assign = compile_query_template(state["Assign"], "Assign") if state.get("Assign") else None

    def select(self, raw: Json, environment: Environment) -> Json:
        """The raw input, which becomes `$states.input`."""
        environment.states = {"input": raw, "context": environment.context}
        return raw

    def arguments(self, selected: Json, environment: Environment) -> Json:
        """Evaluate Arguments."""
        environment.states = {"input": selected, "context": environment.context}
        return selected if self._arguments is None else self._arguments(environment)

    def output(self, raw: Json, selected: Json, result: Json, environment: Environment) -> Json:
        """Evaluate Output with `$states.result`."""
        environment.states = {"input": raw, "context": environment.context, "result": result}
        return result if self._output is None else self._output(environment)

    def shape(self, result: Json, environment: Environment) -> Json:
        """The result as it is."""
        return result

    def place(self, raw: Json, result: Json) -> Json:
        """The result as it is."""
        return result

    def pass_through(self, selected: Json, environment: Environment) -> Json:
        """Evaluate Output for a state that has no result."""
        environment.states = {"input": selected, "context": environment.context}
        return selected if self._output is None else self._output(environment)

    def assign(self, document: Json, environment: Environment) -> dict[str, Json] | None:
        """Evaluate Assign in the surroundings that `output` left."""
        if self._assign is None:
            return None
        assigned: dict[str, Json] = self._assign(environment)
        return assigned
