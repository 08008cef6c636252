"""Webhooks: signed as Standard Webhooks says, and sent again later and later."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from lambdas.core.errors import Misconfigured
from lambdas.core.webhooks import (
    Answer,
    Delivery,
    Verdict,
    delivery_of,
    headers_of,
    pause_before,
    verdict_on,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def event(detail_type: str = "Saga changed", **detail: Any) -> dict[str, Any]:
    known = {"id": "s-1/7", "status": "COMMITTED", "saga": "s-1"}
    return {"detail-type": detail_type, "time": "2026-11-26T09:00:00Z", "detail": {**known, **detail}}


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    delivery = Delivery("msg_p5jXN8AQM9LWM0D4loKWxJek", "test", b'{"test": 2432232314}')
    headers = headers_of(delivery, [SECRET], datetime.fromtimestamp(1614265330, UTC))
    assert headers == {
        "content-type": "application/json",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_another_implementation_verifies_it_by_either_of_two_secrets_with_whsec_or_without(secret: str) -> None:
    delivery = delivery_of(event(name="ünïcode"))
    headers = headers_of(delivery, [SECRET, OTHER], datetime.now(UTC))
    assert Webhook(secret).verify(delivery.body, headers)["data"]["name"] == "ünïcode"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!" * 5, "A" * 100])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        headers_of(delivery_of(event()), [secret], NOW)
    assert "24 to 64 bytes" in str(refused.value)
    assert len(secret) < 10 or secret not in str(refused.value)


@pytest.mark.parametrize(
    ("detail_type", "status", "kind"),
    [
        ("Saga changed", "COMMITTED", "saga.ended"),
        ("Saga changed", "NEEDS_ATTENTION", "saga.ended"),
        ("Saga changed", "COMPENSATING", "saga.changed"),
        ("Resource changed", "READY", "resource.changed"),
        ("Budget passed", "", "budget.passed"),
    ],
)
def test_a_delivery_says_of_what_it_is(detail_type: str, status: str, kind: str) -> None:
    delivery = delivery_of(event(detail_type, status=status))
    document = json.loads(delivery.body)
    assert (delivery.type, document["type"]) == (kind, kind)
    assert document["timestamp"] == "2026-11-26T09:00:00Z"
    assert document["data"]["status"] == status


def test_the_same_event_has_the_same_id_however_often_it_is_told_and_another_has_another() -> None:
    ids = [delivery_of(it).id for it in (event(), {**event(), "id": "again"}, event(id="s-1/8"))]
    assert ids[0] == ids[1] != ids[2]
    assert "." not in ids[0], "it is what a full stop separates"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(200), Verdict.DONE),
        (Answer(204), Verdict.DONE),
        (Answer(301), Verdict.AGAIN),
        (Answer(400), Verdict.AGAIN),
        (Answer(404), Verdict.AGAIN),
        (Answer(410), Verdict.GONE),
        (Answer(429, 3), Verdict.AGAIN),
        (Answer(500), Verdict.AGAIN),
        (None, Verdict.AGAIN),
    ],
)
def test_whatever_is_not_taken_is_sent_again_unless_it_is_gone(answer: Answer | None, verdict: Verdict) -> None:
    assert verdict_on(answer) is verdict


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_before(attempt, None, 0) for attempt in range(1, 15)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600]


def test_chance_makes_a_pause_shorter_by_half_at_most() -> None:
    assert pause_before(4, None, 1) == 20


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_says_when_is_not_asked_sooner(status: int) -> None:
    assert pause_before(1, Answer(status, 120), 1) == 120
    assert pause_before(5, Answer(status, 1), 0) == 80
    assert pause_before(1, Answer(status, 10**9), 0) == 6 * 3600


def test_only_a_receiver_that_is_busy_may_say_when() -> None:
    assert pause_before(1, Answer(500, 120), 0) == 5
