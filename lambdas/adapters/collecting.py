"""The handler that reads one source at a time: the same for every kind of source."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.executions import StepFunctionsTasks
from lambdas.adapters.observability import StepHandler, logger, observed
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.refusals import retryable
from lambdas.adapters.settings import CollectorSettings
from lambdas.adapters.staging import S3Staging
from lambdas.adapters.sweeping import deployed_targets
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.billing.sources import AnySource
from lambdas.core.errors import Misconfigured, Overtaken, RetryableError, TerminalError
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.costs import CostSource, SourceDeclarations, Staging, Windows
from lambdas.core.ports.tasks import Tasks
from lambdas.core.steps.collecting import CollectingSteps, Errand, Surroundings
from lambdas.core.targets import DEFAULT, Target

LIMIT: Final = timedelta(minutes=70)
"""How long one execution reads a source; what is not read by then, the next hour's reads on."""

_MILLISECONDS: Final = 1000.0


class CollectPayload(BaseModel):
    """What the state machine sends to a collector, and a collector to its successor."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    source: str
    window: str
    token: str
    started_at: datetime


class CollectorParts(NamedTuple):
    """What a collector works with besides the source itself; `hand_over` calls it anew, and does not wait for it."""

    declarations: SourceDeclarations
    windows: Windows
    staging: Staging
    tasks: Tasks
    clock: Clock
    hand_over: Callable[[str, Mapping[str, Any]], None]
    pause: Callable[[float], object] = time.sleep


def deployed() -> CollectorParts:
    """The parts that the function's environment describes."""
    settings = CollectorSettings.from_environment(os.environ)
    return CollectorParts(
        ParameterSources(Parameters(clients.parameters()), settings.sources),
        DynamoWindows(clients.dynamodb(), settings.windows),
        S3Staging(clients.storage(), settings.bucket),
        StepFunctionsTasks(clients.stepfunctions()),
        SystemClock(),
        _hand_over,
    )


def declared_source(declarations: SourceDeclarations, name: str) -> AnySource:
    """The source of that name; raises TerminalError when there is none any more."""
    declared = declarations.declared()
    if name not in declared:
        raise TerminalError("NoSuchSource", f"the source {name!r} is not declared any more")
    return declared[name]


def declared_target(cloud: str, name: str) -> Target | None:
    """The target that a source names, None for a default that needs no declaration; raises TerminalError."""
    targets = deployed_targets()[cloud]
    if name not in targets and name != DEFAULT:
        raise TerminalError("NoSuchTarget", f"the target {name!r} is not declared any more")
    return targets.get(name)


def collect_handler(
    make_source: Callable[[AnySource], CostSource], make_parts: Callable[[], CollectorParts] = deployed
) -> StepHandler:
    """The handler over sources that are made when they are first asked for, and kept while the function is warm."""
    parts = cache(make_parts)
    made: dict[str, tuple[AnySource, CostSource]] = {}

    def source_named(name: str) -> tuple[AnySource, CostSource]:
        source = declared_source(parts().declarations, name)
        if name not in made or made[name][0] != source:
            made[name] = (source, make_source(source))
        return made[name]

    @observed("collect")
    def handle(event: dict[str, Any], context: LambdaContext) -> None:
        payload = CollectPayload.model_validate(event)
        _answer(parts(), payload, event, context, lambda: source_named(payload.source))

    return handle


def _answer(
    parts: CollectorParts,
    payload: CollectPayload,
    event: Mapping[str, Any],
    context: LambdaContext,
    source: Callable[[], tuple[AnySource, CostSource]],
) -> None:
    """Do the errand and end its task, hand it over, or leave it to whoever has overtaken this."""
    around = Surroundings(
        lambda: _alive(parts.tasks, payload.token),
        lambda: context.get_remaining_time_in_millis() / _MILLISECONDS,
        parts.pause,
    )
    errand = Errand(payload.window, payload.token, payload.started_at + LIMIT, uuid4().hex[:8])
    try:
        declared, costs = source()
        steps = CollectingSteps(declared, costs, parts.windows, parts.staging, parts.clock)
        result = steps.collect(errand, around)
    except Overtaken:
        logger.warning("overtaken", extra={"source": payload.source})
    except (Misconfigured, RetryableError, TerminalError) as error:
        # The error's own name, since `Throttled` is one that no state machine knows.
        name = "RetryableError" if isinstance(error, RetryableError) else "TerminalError"
        parts.tasks.fail(payload.token, name, str(error))
    else:
        if result is None:
            parts.hand_over(context.invoked_function_arn, event)
        else:
            parts.tasks.succeed(payload.token, result)


def _alive(tasks: Tasks, token: str) -> bool:
    """A beat that does not arrive is made up for by the next."""
    try:
        return tasks.beat(token)
    except RetryableError:
        return True


def _hand_over(function: str, event: Mapping[str, Any]) -> None:
    """Call the same version of the function again; raises RetryableError."""
    with retryable("the collector could not be called again", "Lambda did not answer"):
        clients.functions().invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
