"""botocore's service models: which actions exist, without a client or credentials."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _session() -> Any:
    import botocore.session  # noqa: PLC0415 - 150 ms that machines without AWS SDK tasks need not pay

    return botocore.session.get_session()


@cache
def service_model(service: str) -> Any:
    """Botocore's model of a service by botocore's own name; None when there is no such service."""
    session = _session()
    return session.get_service_model(service) if service in session.get_available_services() else None


_NAMES = {
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "costexplorer": "ce",
    "costandusagereport": "cur",
    "databasemigration": "dms",
    "directory": "ds",
}


@cache
def botocore_name(service: str) -> str:
    """Botocore's name of a service that AWS SDK integrations call by its service id: `sfn`, `rdsdata`, `dynamodb`."""
    if service in _NAMES:
        return _NAMES[service]
    hyphenated: dict[str, str] = {name.replace("-", ""): name for name in _session().get_available_services()}
    return hyphenated.get(service, service)


@cache
def operation_name(service: str, action: str) -> str | None:
    """`PutItem` for ("dynamodb", "putItem"); None for an action the service does not have."""
    model = service_model(service)
    name = action[:1].upper() + action[1:]
    return name if model is not None and name in model.operation_names else None
