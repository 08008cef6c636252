"""Webhooks as "Standard Webhooks" (standardwebhooks.com, version 1.0.0) says: what is sent, how it is signed, and when
it is sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from lambdas.core.errors import Misconfigured
from lambdas.core.notices import BudgetPassed, ResourceChanged, SagaChanged
from lambdas.core.states import ENDINGS

SAGA_ENDED: Final = "saga.ended"
SAGA_CHANGED: Final = "saga.changed"
RESOURCE_CHANGED: Final = "resource.changed"
BUDGET_PASSED: Final = "budget.passed"

PREFIX: Final = "whsec_"
FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 3600.0
LONGEST_WAIT: Final = 6 * 3600.0
"""For which a receiver may have itself left alone: a queue hides a message for twelve hours at most."""

_KEY_BYTES: Final = range(24, 65)


class Delivery(NamedTuple):
    """What is posted: the same `id` and `body` however often it is sent."""

    id: str
    type: str
    body: bytes


class Answer(NamedTuple):
    """What a receiver said: a status, and after how many seconds it wants to be asked again if it said so."""

    status: int
    retry_after: float | None = None


class Verdict(Enum):
    """What follows from an answer, or from none."""

    DONE = auto()
    GONE = auto()
    AGAIN = auto()


def delivery_of(event: Mapping[str, Any]) -> Delivery:
    """The delivery of an event as the bus hands it on."""
    detail = event["detail"]
    kind = _type_of(event["detail-type"], detail)
    document = {"type": kind, "timestamp": event["time"], "data": detail}
    digest = hashlib.sha256(f"{event['detail-type']}/{detail['id']}".encode()).hexdigest()
    return Delivery(f"msg_{digest[:32]}", kind, json.dumps(document, separators=(",", ":")).encode())


def _type_of(detail_type: str, detail: Mapping[str, Any]) -> str:
    if detail_type == SagaChanged.KIND:
        return SAGA_ENDED if detail["status"] in ENDINGS else SAGA_CHANGED
    return {ResourceChanged.KIND: RESOURCE_CHANGED, BudgetPassed.KIND: BUDGET_PASSED}[detail_type]


def headers_of(delivery: Delivery, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers that identify, date and sign a delivery, with every secret; raises Misconfigured for a wrong one."""
    timestamp = str(int(now.timestamp()))
    signed = f"{delivery.id}.{timestamp}.".encode() + delivery.body
    macs = [hmac.digest(_key_of(it), signed, hashlib.sha256) for it in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(it).decode()}" for it in macs),
    }


def _key_of(secret: str) -> bytes:
    encoded = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_BYTES:
        raise Misconfigured("a webhook's secret must be 24 to 64 bytes in Base64, with whsec_ before them or without")
    return key


def verdict_on(answer: Answer | None) -> Verdict:
    """What follows: whatever is not taken is sent again, unless the receiver says that it is gone for good."""
    if answer is None:
        return Verdict.AGAIN
    if answer.status == 410:
        return Verdict.GONE
    return Verdict.DONE if 200 <= answer.status < 300 else Verdict.AGAIN


def pause_before(attempt: int, answer: Answer | None, share: float) -> int:
    """The seconds until the attempt after the one of this number, the first being 1.

    They double each time, less up to half of them by `share` (0 to 1), so that many do not come back at once; never
    sooner than a receiver wants that says so.
    """
    usual = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 30))
    wanted = 0.0
    if answer is not None and answer.status in (429, 503) and answer.retry_after is not None:
        wanted = min(answer.retry_after, LONGEST_WAIT)
    return max(1, round(max(wanted, usual * (1 - share / 2))))
