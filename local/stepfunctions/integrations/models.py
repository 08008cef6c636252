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


@cache
def operation_name(service: str, action: str) -> str | None:
    """`PutItem` for ("dynamodb", "putItem"); None for an action the service does not have."""
    model = service_model(service)
    name = action[:1].upper() + action[1:]
    return name if model is not None and name in model.operation_names else None
