"""Which fields ASL knows, by type of state and query language."""

from __future__ import annotations

COMMON = {"Type", "Comment", "QueryLanguage"}
TRANSITION = {"Next", "End"}
RECOVERY = {"Retry", "Catch"}
_PATHS = {"InputPath", "OutputPath"}
_TASK = {"Resource", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"}
_MAP = {
    "ItemSelector",
    "ItemProcessor",
    "Iterator",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Label",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
}
_MAP_PATHS = {"MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"}

JSONPATH: dict[str, set[str]] = {
    "Pass": {*_PATHS, "Parameters", "Result", "ResultPath", "Assign"} | TRANSITION,
    "Wait": {*_PATHS, "Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign"} | TRANSITION,
    "Choice": {*_PATHS, "Choices", "Default", "Assign"},
    "Succeed": set(_PATHS),
    "Fail": {"Error", "ErrorPath", "Cause", "CausePath"},
    "Task": {*_PATHS, "Parameters", "ResultSelector", "ResultPath", "Assign"}
    | _TASK
    | {"TimeoutSecondsPath", "HeartbeatSecondsPath"}
    | TRANSITION
    | RECOVERY,
    "Parallel": {*_PATHS, "Parameters", "ResultSelector", "ResultPath", "Branches", "Assign"} | TRANSITION | RECOVERY,
    "Map": {*_PATHS, "Parameters", "ResultSelector", "ResultPath", "ItemsPath", "Assign"}
    | _MAP
    | _MAP_PATHS
    | TRANSITION
    | RECOVERY,
}
JSONATA: dict[str, set[str]] = {
    "Pass": {"Output", "Assign"} | TRANSITION,
    "Wait": {"Seconds", "Timestamp", "Output", "Assign"} | TRANSITION,
    "Choice": {"Choices", "Default", "Output", "Assign"},
    "Succeed": {"Output"},
    "Fail": {"Error", "Cause"},
    "Task": {"Arguments", "Output", "Assign"} | _TASK | TRANSITION | RECOVERY,
    "Parallel": {"Arguments", "Branches", "Output", "Assign"} | TRANSITION | RECOVERY,
    "Map": {"Items", "Output", "Assign"} | _MAP | TRANSITION | RECOVERY,
}
MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"}
BRANCH = {"Comment", "StartAt", "States"}
PROCESSOR = BRANCH | {"ProcessorConfig"}
RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
CATCHER = {
    "JSONPath": {"ErrorEquals", "Next", "ResultPath", "Assign", "Comment"},
    "JSONata": {"ErrorEquals", "Next", "Output", "Assign", "Comment"},
}
PATH_FIELDS = (
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    *sorted(_MAP_PATHS),
)
TEMPLATE_FIELDS = ("Parameters", "ItemSelector", "ResultSelector", "Assign", "Credentials")
QUERY_FIELDS = (
    "Arguments",
    "Output",
    "Assign",
    "Items",
    "ItemSelector",
    "Seconds",
    "Timestamp",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
    "Credentials",
    "Error",
    "Cause",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
)
REQUIRED: dict[str, tuple[str, ...]] = {
    "Choice": ("Choices",),
    "Task": ("Resource",),
    "Parallel": ("Branches",),
}
ALTERNATIVES: dict[str, tuple[tuple[str, ...], ...]] = {
    "Wait": (("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),),
    "Map": (("ItemProcessor", "Iterator"),),
    "Fail": (("Error", "ErrorPath"), ("Cause", "CausePath")),
    "Task": (("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")),
}
