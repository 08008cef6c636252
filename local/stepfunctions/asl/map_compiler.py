"""Map states: items, selectors and the fields that only a Distributed Map has."""

from __future__ import annotations

from collections.abc import Callable

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.fields import number_field, required_path
from local.stepfunctions.asl.jsonata import compile_query, compile_query_template, is_expression
from local.stepfunctions.asl.program import BatcherSpec, Block, Evaluate, MapSpec, ReaderSpec, WriterSpec
from local.stepfunctions.asl.template import compile_template
from local.stepfunctions.errors import QUERY, Fault
from local.stepfunctions.jsontext import Json, dumps


def compile_map(state: dict[str, Json], processor: Block, jsonata: bool) -> MapSpec:
    """Compile a Map state around its compiled processor."""
    config = (state.get("ItemProcessor") or state["Iterator"]).get("ProcessorConfig", {})
    selector = state.get("ItemSelector", state.get("Parameters"))
    return MapSpec(
        processor=processor,
        items=_items_query(state) if jsonata else _items_path(state.get("ItemsPath")),
        selector=None if selector is None else _template(selector, "ItemSelector", jsonata),
        max_concurrency=number_field(state, "MaxConcurrency", _concurrency) or _unlimited,
        distributed=config.get("Mode") == "DISTRIBUTED",
        express=config.get("ExecutionType") == "EXPRESS",
        label=state.get("Label", ""),
        tolerated_count=number_field(state, "ToleratedFailureCount", _tolerated_count),
        tolerated_percentage=number_field(state, "ToleratedFailurePercentage", _tolerated_percentage),
        reader=_reader(state["ItemReader"], jsonata) if "ItemReader" in state else None,
        batcher=_batcher(state["ItemBatcher"], jsonata) if "ItemBatcher" in state else None,
        writer=_writer(state["ResultWriter"], jsonata) if "ResultWriter" in state else None,
    )


def _template(template: Json, location: str, jsonata: bool) -> Evaluate:
    if not jsonata:
        return compile_template(template)
    query = compile_query_template(template, location)

    def evaluate(document: Json, environment: Environment) -> Json:
        environment.states = {"input": document, "context": environment.context}
        return query(environment)

    return evaluate


def _unlimited(document: Json, environment: Environment) -> float:
    return 0


def _concurrency(value: Json, path: str) -> float:
    value = _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(_not_a("MaxConcurrencyPath", value, "integer", path))
    if value < 0:
        raise Fault("MaxConcurrency cannot be negative.")
    return value


def _tolerated_count(value: Json, path: str) -> float:
    value = _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(_not_a("ToleratedFailureCountPath", value, "integer", path))
    if value < 0:
        raise Fault("ToleratedFailureCount cannot be negative.")
    return value


def _tolerated_percentage(value: Json, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Fault(_not_a("ToleratedFailurePercentagePath", value, "float", path))
    if not 0 <= value <= 100:
        raise Fault("ToleratedFailurePercentage must be between 0 and 100.")
    return value


def _not_a(field: str, value: Json, kind: str, path: str) -> str:
    return f'The {field} field refers to value "{_shown(value)}" which is not a valid {kind}: {path}'


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value)


def _items_path(text: str | None) -> Callable[[Json, Environment], list[Json]]:
    read = required_path(text or "$")

    def items(document: Json, environment: Environment) -> list[Json]:
        found = read(document, environment)
        if not isinstance(found, list):
            raise Fault(f'Reference path "{_reference(text or "$")}" must point to array.')
        return found

    return items


def _reference(text: str) -> str:
    return text[1:] if text.startswith("$$") else text


def _items_query(state: dict[str, Json]) -> Callable[[Json, Environment], list[Json]]:
    items = state.get("Items")
    if items is None:
        return _input_items
    if is_expression(items):
        query = compile_query(items, "Items", "array")
        return lambda document, environment: list(query(environment))
    template = compile_query_template(items, "Items")
    return lambda document, environment: list(template(environment))


def _input_items(document: Json, environment: Environment) -> list[Json]:
    if not isinstance(document, list):
        raise Fault(f"Map state input must be an array but was: {dumps(document)}", QUERY)
    return document


def _from_text(value: Json) -> Json:
    """A number written as text, which AWS was recorded to take for these fields."""
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value


def _max_items(value: Json, path: str) -> float:
    value = _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(_not_a("MaxItemsPath", value, "integer", path))
    return value


def _reader(reader: dict[str, Json], jsonata: bool) -> ReaderSpec:
    settings = reader.get("ReaderConfig", {})
    arguments = reader.get("Arguments" if jsonata else "Parameters", {})
    return ReaderSpec(
        action=reader["Resource"].rsplit(":", 1)[1],
        arguments=_template(arguments, "ItemReader/Arguments", jsonata),
        settings=settings,
        max_items=number_field(settings, "MaxItems", _max_items),
    )


def _batch_limit(value: Json, path: str) -> float:
    value = _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Fault(_not_a("ItemBatcher", value, "integer", path))
    return value


def _batcher(batcher: dict[str, Json], jsonata: bool) -> BatcherSpec:
    batch_input = batcher.get("BatchInput")
    return BatcherSpec(
        number_field(batcher, "MaxItemsPerBatch", _batch_limit),
        number_field(batcher, "MaxInputBytesPerBatch", _batch_limit),
        None if batch_input is None else _template(batch_input, "ItemBatcher/BatchInput", jsonata),
    )


def _writer(writer: dict[str, Json], jsonata: bool) -> WriterSpec:
    arguments = writer.get("Arguments" if jsonata else "Parameters")
    return WriterSpec(
        None if arguments is None else _template(arguments, "ResultWriter/Arguments", jsonata),
        writer.get("WriterConfig", {}),
    )
