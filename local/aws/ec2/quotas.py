"""Service Quotas as far as EC2's are concerned, which moto lacks: the standard vCPUs of every region.

The limit is far above what one machine is asked for, and RunInstances does not enforce it; the fault `capacity` on
`GetServiceQuota` makes it none.
"""

from __future__ import annotations

import json
from typing import Any, Final

from werkzeug.wrappers import Request, Response

TARGET_PREFIX: Final = "ServiceQuotasV20190624."
STANDARD_VCPUS: Final = 10_000.0
_QUOTAS: Final = {("ec2", "L-1216C47A"): "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"}
_CONTENT_TYPE: Final = "application/x-amz-json-1.1"


def asked_of_quotas(request: Request) -> str | None:
    """The operation of Service Quotas that a request asks for; None when it is for another service."""
    target = request.headers.get("X-Amz-Target", "")
    return target.removeprefix(TARGET_PREFIX) if target.startswith(TARGET_PREFIX) else None


def answer_quotas(request: Request, operation: str, *, exhausted: bool) -> Response:
    """The answer of Service Quotas; an `exhausted` quota is 0."""
    if operation != "GetServiceQuota":
        return quotas_refusal("UnknownOperationException", f"{operation} is not played here")
    wanted: dict[str, Any] = json.loads(request.get_data())
    name = _QUOTAS.get((wanted.get("ServiceCode", ""), wanted.get("QuotaCode", "")))
    if name is None:
        return quotas_refusal(
            "NoSuchResourceException", "The request failed because the specified quota does not exist."
        )
    quota = {
        "ServiceCode": wanted["ServiceCode"],
        "QuotaCode": wanted["QuotaCode"],
        "QuotaName": name,
        "Value": 0.0 if exhausted else STANDARD_VCPUS,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return Response(json.dumps({"Quota": quota}), content_type=_CONTENT_TYPE)


def quotas_refusal(code: str, message: str, status: int = 400) -> Response:
    """An error in the form of Service Quotas."""
    return Response(json.dumps({"__type": code, "message": message}), status=status, content_type=_CONTENT_TYPE)
