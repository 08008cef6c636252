"""The Lambda handler of the webhooks' queues: posts each event, signed, and has what was not taken come back later.

Neither a URL, which may hold what lets its owner post, nor anything that a receiver answers is logged.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.observability import StepHandler, logger, observed
from lambdas.adapters.settings import WebhookSettings
from lambdas.adapters.webhooks import HttpReceivers, Receivers, RetryQueues, WebhookSecrets
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.core.ports.clock import Clock
from lambdas.core.webhooks import Answer, Verdict, delivery_of, headers_of, pause_before, verdict_on

QUEUE_PREFIX: Final = "skysaga-webhook-"
SECRET_PREFIX: Final = "skysaga/webhooks/"  # noqa: S105 # nosec - how their names begin


class Webhooks(NamedTuple):
    """Where webhooks are, by name, and whatever it takes to deliver to them."""

    urls: Mapping[str, str]
    secrets: WebhookSecrets
    receivers: Receivers
    queues: RetryQueues
    clock: Clock


def webhook_handler(make: Callable[[], Webhooks]) -> StepHandler:
    """The handler over webhooks that are made at the first call."""
    webhooks = cache(make)

    @observed("webhook")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        failed = [it["messageId"] for it in event["Records"] if not _dealt_with(webhooks(), it)]
        return {"batchItemFailures": [{"itemIdentifier": it} for it in failed]}

    return handle


def _dealt_with(webhooks: Webhooks, message: Mapping[str, Any]) -> bool:
    """Whether a message need not come back; one that must is hidden until then."""
    name = message["eventSourceARN"].rpartition(":")[2].removeprefix(QUEUE_PREFIX)
    attempt = int(message["attributes"]["ApproximateReceiveCount"])
    event = json.loads(message["body"])
    logger.thread_safe_append_keys(correlation_id=event["detail"].get("saga", ""), webhook=name, attempt=attempt)
    try:
        answer = _posted(webhooks, name, event)
    except (Misconfigured, RetryableError) as error:
        logger.warning("not posted", extra={"reason": str(error)})
        answer = None
    match verdict_on(answer):
        case Verdict.DONE:
            logger.info("delivered")
            return True
        case Verdict.GONE:
            logger.warning("given up: the receiver says that it is gone; take the webhook off the deployment")
            return True
        case Verdict.AGAIN:
            _put_off(webhooks, message, pause_before(attempt, answer, random.random()), answer)  # noqa: S311 # nosec
            return False


def _posted(webhooks: Webhooks, name: str, event: Mapping[str, Any]) -> Answer | None:
    if name not in webhooks.urls:
        raise Misconfigured(f"no webhook {name} is declared")
    delivery = delivery_of(event)
    headers = headers_of(delivery, webhooks.secrets.of(SECRET_PREFIX + name), webhooks.clock.now())
    return webhooks.receivers.post(webhooks.urls[name], delivery.body, headers)


def _put_off(webhooks: Webhooks, message: Mapping[str, Any], seconds: int, answer: Answer | None) -> None:
    status = answer.status if answer else None
    logger.warning("not taken", extra={"status": status, "again_in": seconds})
    try:
        webhooks.queues.hide(message["eventSourceARN"], message["receiptHandle"], seconds)
    except RetryableError as error:  # then the queue shows it again in its own time
        logger.warning("not put off", extra={"reason": str(error)})


def _deployed() -> Webhooks:
    settings = WebhookSettings.from_environment(os.environ)
    return Webhooks(
        settings.webhooks,
        WebhookSecrets(clients.secrets()),
        HttpReceivers(),
        RetryQueues(clients.queue()),
        SystemClock(),
    )


handler = webhook_handler(_deployed)
