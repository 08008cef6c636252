"""Static checks of what stands in a state's fields: paths, templates, queries, resources, numbers, timestamps."""

from __future__ import annotations

from local.stepfunctions.asl import grammar
from local.stepfunctions.asl.diagnostics import Diagnostics
from local.stepfunctions.asl.jsonata import check, expression_text, is_expression
from local.stepfunctions.asl.jsonpath import ReferencePath, compile_path
from local.stepfunctions.asl.resources import parse_resource
from local.stepfunctions.asl.template import compile_expression
from local.stepfunctions.jsontext import Json
from local.stepfunctions.timestamps import parse_timestamp

_NUMBERS: tuple[tuple[str, int, tuple[type[int] | type[float], ...]], ...] = (
    ("Seconds", 0, (int,)),
    ("TimeoutSeconds", 1, (int,)),
    ("HeartbeatSeconds", 1, (int,)),
    ("MaxConcurrency", 0, (int,)),
    ("ToleratedFailureCount", 0, (int,)),
    ("ToleratedFailurePercentage", 0, (int, float)),
)
_DISTRIBUTED_ONLY = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")


def check_values(found: Diagnostics, place: str, state: dict[str, Json], language: str, express: bool) -> None:
    """Check the values of a state whose fields are all known."""
    if language == "JSONata":
        for name in grammar.QUERY_FIELDS:
            if name in state:
                _query(found, f"{place}/{name}", state[name])
        for index, catcher in enumerate(state.get("Catch", ())):
            _query(found, f"{place}/Catch[{index}]", catcher)
    else:
        _paths(found, place, state)
        for name in grammar.TEMPLATE_FIELDS:
            if name in state:
                _template(found, f"{place}/{name}", state[name])
    _numbers(found, place, state)
    if "Resource" in state:
        _resource(found, place, state, express)
    if "Timestamp" in state and not is_expression(state["Timestamp"]):
        _timestamp(found, place, state["Timestamp"])
    if state["Type"] == "Map":
        _map(found, place, state)


def _paths(found: Diagnostics, place: str, state: dict[str, Json]) -> None:
    for name in grammar.PATH_FIELDS:
        value: Json = state.get(name)
        if value is None and (name not in state or name in ("InputPath", "OutputPath")):
            continue
        try:
            compile_path(value)
        except (TypeError, ValueError):
            found.error("Value is not a valid JSONPath", f"{place}/{name}")
    for name in ("ErrorPath", "CausePath"):
        if name in state:
            _expression(found, f"{place}/{name}", name, state[name])
    if state.get("ResultPath") is not None:
        try:
            ReferencePath(state["ResultPath"])
        except (TypeError, ValueError):
            found.error("Value is not a Reference Path", f"{place}/ResultPath")


def _expression(found: Diagnostics, place: str, name: str, value: Json) -> None:
    try:
        compile_expression(value)
    except (AttributeError, TypeError, ValueError):
        message = f"The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"
        found.error(message, place)


def _template(found: Diagnostics, place: str, template: Json) -> None:
    if isinstance(template, dict):
        for name, value in template.items():
            if name.endswith(".$"):
                _expression(found, place, name, value)
            else:
                _template(found, f"{place}/{name}", value)
    elif isinstance(template, list):
        for index, item in enumerate(template):
            _template(found, f"{place}[{index}]", item)


def _query(found: Diagnostics, place: str, template: Json) -> None:
    if is_expression(template):
        try:
            check(template)
        except ValueError as error:
            found.error(f"Invalid JSONata expression '{expression_text(template)}': {error}", place)
    elif isinstance(template, dict):
        for name, value in template.items():
            _query(found, f"{place}/{name}", value)
    elif isinstance(template, list):
        for index, item in enumerate(template):
            _query(found, f"{place}[{index}]", item)


def _numbers(found: Diagnostics, place: str, state: dict[str, Json]) -> None:
    for name, least, kinds in _NUMBERS:
        value: Json = state.get(name, least)
        if is_expression(value):
            continue
        if isinstance(value, bool) or not isinstance(value, kinds) or float(value) < least:
            found.error(f"Expected a number of at least {least}", f"{place}/{name}")


def _timestamp(found: Diagnostics, place: str, value: Json) -> None:
    try:
        parse_timestamp(value)
    except (TypeError, ValueError):
        found.error("String does not match RFC3339 timestamp", f"{place}/Timestamp")


def _resource(found: Diagnostics, place: str, state: dict[str, Json], express: bool) -> None:
    if isinstance(state.get("Credentials"), dict) and not {"RoleArn", "RoleArn.$"} & set(state["Credentials"]):
        found.error("The field 'RoleArn' is required but was missing", f"{place}/Credentials")
    arn = state["Resource"]
    try:
        resource = parse_resource(arn)
    except (LookupError, TypeError):
        found.error(
            f"The resource provided {arn} is not recognized. The value is not a valid resource ARN, "
            "or the resource is not available in this region.",
            f"{place}/Resource",
        )
        return
    if express and (resource.pattern or resource.service == "activity"):
        pattern = f".{resource.pattern.split(':')[0]}" if resource.pattern else "activity"
        found.error(f"Express state machine does not support '{pattern}' service integration ", f"{place}/Resource")


def _map(found: Diagnostics, place: str, state: dict[str, Json]) -> None:
    processor = state.get("ItemProcessor", state.get("Iterator"))
    config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
    mode = config.get("Mode", "INLINE")
    if mode not in ("INLINE", "DISTRIBUTED"):
        found.error(
            "Value is not one of the known values: [INLINE, DISTRIBUTED]", f"{place}/ItemProcessor/ProcessorConfig"
        )
    if mode == "INLINE":
        for name in _DISTRIBUTED_ONLY:
            if name in state:
                found.error(f"The field '{name}' is only supported in a Map state with mode DISTRIBUTED", place)
    _holders(found, place, state)


def _holders(found: Diagnostics, place: str, state: dict[str, Json]) -> None:
    reader = state.get("ItemReader", {})
    if "ItemReader" in state and reader.get("Resource", "").rsplit(":", 1)[-1] not in ("getObject", "listObjectsV2"):
        found.error("The field 'Resource' must be S3's getObject or listObjectsV2", f"{place}/ItemReader/Resource")
    for name, known in _HOLDERS.items():
        for field in state.get(name, {}):
            if field not in known:
                found.error("Field is not supported", f"{place}/{name}/{field}")
    for field in reader.get("ReaderConfig", {}):
        if field not in _READER_CONFIG:
            found.error("Field is not supported", f"{place}/ItemReader/ReaderConfig/{field}")


_HOLDERS = {
    "ItemReader": {"Resource", "ReaderConfig", "Parameters", "Arguments"},
    "ItemBatcher": {
        "MaxItemsPerBatch",
        "MaxItemsPerBatchPath",
        "MaxInputBytesPerBatch",
        "MaxInputBytesPerBatchPath",
        "BatchInput",
    },
    "ResultWriter": {"Resource", "WriterConfig", "Parameters", "Arguments"},
}
_READER_CONFIG = {
    "InputType",
    "Transformation",
    "CSVHeaderLocation",
    "CSVHeaders",
    "CSVDelimiter",
    "MaxItems",
    "MaxItemsPath",
    "ManifestType",
    "ItemsPointer",
}
