"""Payload templates (Parameters, ItemSelector, ResultSelector, Assign): JSON in which `"name.$"` is computed."""

from __future__ import annotations

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.intrinsics import compile_call
from local.stepfunctions.asl.jsonpath import Evaluate, PathNotFoundError, compile_path
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json, dumps


def compile_expression(text: str) -> Evaluate:
    """A path or an intrinsic function call; raises ValueError for neither."""
    return compile_path(text).evaluate if text.startswith("$") else compile_call(text)


def compile_template(template: Json) -> Evaluate:
    """Compile a payload template; raises ValueError for a `.$` field that is neither path nor call."""
    dynamic = _compile(template)
    return dynamic if dynamic is not None else lambda document, environment: template


def _compile(template: Json) -> Evaluate | None:
    """None for a template that is constant all through."""
    if isinstance(template, dict):
        return _compile_object(template)
    if isinstance(template, list):
        return _compile_array(template)
    return None


def _compile_object(template: dict[str, Json]) -> Evaluate | None:
    computed: dict[str, Evaluate] = {}
    constant: dict[str, Json] = {}
    for key, value in template.items():
        name = key.removesuffix(".$")
        evaluate = _compile(value) if name == key else _computed(key, value)
        constant[name] = value  # by which what is computed has its place, too
        computed.pop(name, None)
        if evaluate is not None:
            computed[name] = evaluate
    if not computed:
        return None

    def build(document: Json, environment: Environment) -> Json:
        built = constant.copy()
        for name, evaluate in computed.items():
            built[name] = evaluate(document, environment)
        return built

    return build


def _compile_array(template: list[Json]) -> Evaluate | None:
    items = [(_compile(item), item) for item in template]
    if all(evaluate is None for evaluate, _ in items):
        return None

    def build(document: Json, environment: Environment) -> Json:
        return [constant if evaluate is None else evaluate(document, environment) for evaluate, constant in items]

    return build


def _computed(key: str, text: Json) -> Evaluate:
    if not isinstance(text, str):
        raise ValueError(f"the value of {key} must be a string")
    inner = compile_expression(text)

    def evaluate(document: Json, environment: Environment) -> Json:
        try:
            return inner(document, environment)
        except PathNotFoundError as error:
            shown = environment.context if text.startswith("$$") else document
            place = f"The JSONPath '{text}' specified for the field '{key}'"
            raise Fault(f"{place} could not be found in the input '{dumps(shown)}'") from error

    return evaluate
