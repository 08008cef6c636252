"""Task resources: which ARNs exist here, and what they name."""

from __future__ import annotations

import re

from local.stepfunctions.asl.program import Resource

_TOKEN = "waitForTaskToken"  # noqa: S105 - a service integration pattern's name
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:.+")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:.+")
_SERVICE = re.compile(
    r"arn:[^:]+:states:[^:]*:[^:]*:(aws-sdk:[a-z0-9]+|[a-z0-9-]+):([A-Za-z0-9]+)((?:\.[A-Za-z]+(?::2)?)?)"
)

OPTIMIZED: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "invoke"): ("", _TOKEN),
    ("states", "startExecution"): ("", "sync", "sync:2", _TOKEN),
    ("dynamodb", "getItem"): ("",),
    ("dynamodb", "putItem"): ("",),
    ("dynamodb", "updateItem"): ("",),
    ("dynamodb", "deleteItem"): ("",),
    ("sqs", "sendMessage"): ("", _TOKEN),
    ("sns", "publish"): ("", _TOKEN),
    ("events", "putEvents"): ("", _TOKEN),
}


def parse_resource(arn: str) -> Resource:
    """What an ARN names; raises LookupError for a resource that is not known or not supported."""
    if _FUNCTION.fullmatch(arn):
        return Resource(arn, "function", "", "")
    if _ACTIVITY.fullmatch(arn):
        return Resource(arn, "activity", "", "")
    match = _SERVICE.fullmatch(arn)
    if match is None:
        raise LookupError(arn)
    service, action, pattern = match.group(1), match.group(2), match.group(3)[1:]
    if service.startswith("aws-sdk:"):
        if pattern not in ("", _TOKEN) or not sdk_action_exists(service[8:], action):
            raise LookupError(arn)
    elif pattern not in OPTIMIZED.get((service, action), ()):
        raise LookupError(arn)
    return Resource(arn, service, action, pattern)


def sdk_action_exists(service: str, action: str) -> bool:
    """Whether botocore's own model of the service has the action; `service` as `aws-sdk:` resources name it."""
    from local.stepfunctions.integrations import models  # noqa: PLC0415 - botocore only when needed

    return models.operation_name(models.botocore_name(service), action) is not None
