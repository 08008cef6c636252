"""The Lambda handlers of a private cloud: doing what its clusters' queues say, and reporting on its clusters."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from time import sleep
from typing import Any, Final, NamedTuple

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters.observability import StepHandler, logger, observed
from lambdas.adapters.settings import WorkerSettings
from lambdas.core.errors import RetryableError
from lambdas.worker.deployed import MakeProvider, Workplace, declared_clusters, workplace

LAST_STEP_MILLISECONDS: Final = 90_000
"""What a step may still take when there is no time for another: then the task is handed back."""


class PrivateCloudHandlers(NamedTuple):
    """The Lambda handlers of one private cloud."""

    work: StepHandler
    report: StepHandler


def private_cloud_handlers(make_workplace: Callable[[], Workplace]) -> PrivateCloudHandlers:
    """The handlers over a workplace that is made at the first call and kept as long as the function is warm."""
    place = cache(make_workplace)

    def work(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
        failed = [it["messageId"] for it in event["Records"] if not _done(place(), it["body"], context)]
        return {"batchItemFailures": [{"itemIdentifier": it} for it in failed]}

    @observed("report")
    def report(_: dict[str, Any], __: LambdaContext) -> Mapping[str, Any]:
        return {"reported": place().reporting.report()}

    return PrivateCloudHandlers(work, report)


def deployed_private_cloud(make_provider: MakeProvider) -> PrivateCloudHandlers:
    """The handlers of the clusters that the function's environment names."""

    def make_workplace() -> Workplace:
        settings = WorkerSettings.from_environment(os.environ)
        return workplace(declared_clusters(settings.clusters), make_provider, settings.table)

    return private_cloud_handlers(make_workplace)


def _done(place: Workplace, body: str, context: LambdaContext) -> bool:
    """Whether a message is dealt with; the queue delivers it again otherwise."""

    def out_of_time() -> bool:
        return context.get_remaining_time_in_millis() < LAST_STEP_MILLISECONDS

    try:
        place.worker.do(body, context, keep=_is_hidden_for_long_enough, over=out_of_time, wait=sleep)
    except RetryableError as error:
        logger.warning("not answered", extra={"reason": str(error)})
        return False
    return True


def _is_hidden_for_long_enough() -> None:
    """The queue of a function hides a message for longer than the function may run."""
