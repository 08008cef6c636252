"""Logs, traces and metrics of every function, through Powertools; a saga, or a window, is the correlation id."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, NoReturn

import wrapt
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from lambdas.adapters import spans
from lambdas.adapters.correlation import about
from lambdas.core.errors import Misconfigured, StepError

NAMESPACE: Final = "skysaga"
"""Of our metrics; not left to the environment, since a step that has done its work would fail for want of it."""

NEEDING_ATTENTION: Final = "SagasNeedingAttention"
"""Counted as soon as one does, and by every sweep for as long as it lasts."""

STEPS_BROKEN: Final = "StepsBroken"
"""Steps that ended in an error no step raises: what a bad deployment looks like from the outside."""

logger: Final = Logger()
tracer: Final = Tracer(patch_modules=["botocore"])
metrics: Final = Metrics(namespace=NAMESPACE)

# Azure's and Google's SDKs speak through requests, whose calls are traced, too. Left to itself the tracer imports
# whatever it knows how to trace, into functions that need none of it.
wrapt.register_post_import_hook(lambda _: tracer.patch(["requests"]), "requests")

# At DEBUG, which a log level set on a function would reach, these write requests with their bodies and their tokens.
for _sdk in ("azure", "boto3", "botocore", "google", "msal", "requests", "urllib3"):
    logging.getLogger(_sdk).setLevel(logging.WARNING)

StepHandler = Callable[[dict[str, Any], LambdaContext], Mapping[str, Any] | None]


def observed(step: str) -> Callable[[StepHandler], StepHandler]:
    """Log, trace and count every call of a step handler.

    A step that fails is logged with its error's name and message and never with its payload: what a cloud said is
    enough, and what a user sent may be secret. Whatever else is raised goes on under its own name and without its text,
    which Lambda would log and Step Functions keep.
    """

    def decorate(handler: StepHandler) -> StepHandler:
        @wraps(handler)
        @_published
        @tracer.capture_lambda_handler(capture_response=False, capture_error=False)
        def observe(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any] | None:
            _identify(event, context, step)
            saga_id = str(event.get("saga_id") or "")
            span = spans.span(step, spans.Kind.INTERNAL, saga_id, **_attributes(event, context))
            with about(saga_id), span:
                return _logged(handler, event, context)

        return observe

    return decorate


def _logged(handler: StepHandler, event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any] | None:
    """Call a handler, and say how it went: in the log, in what is counted, and in the span."""
    began = time.monotonic()
    try:
        result = handler(event, context)
    except Exception as error:
        _log_failure(error, _milliseconds_since(began))
        _count("StepsFailed", error=type(error).__name__)
        if isinstance(error, StepError | Misconfigured):
            raise
        _raise_without_text(error)
    summary = _summary(result)
    logger.info("step done", extra={"result": summary, "milliseconds": _milliseconds_since(began)})
    _count("StepsDone")
    if (span := spans.current()) is not None:
        span.add(**{f"skysaga.{key}": value for key, value in summary.items()})
    return result


def correlate(saga_id: str) -> None:
    """Say which saga a call turns out to be about, in all that it logs, traces and exports from here on."""
    logger.append_keys(correlation_id=saga_id)
    tracer.put_annotation("saga_id", saga_id)
    if (span := spans.current()) is not None:
        span.saga_id = saga_id


def cloud_answered(cloud: str, call: str, **ids: str | int | None) -> None:
    """Note what a cloud was asked for and the ids by which its own logs know that, beside the saga's.

    `ids` are a cloud's own, such as `request_id` or `operation_id`, and `status`; never anything that was sent.
    """
    known = {name: value for name, value in ids.items() if value not in (None, "")}
    logger.info("cloud answered", extra={"cloud": cloud, "call": call, **known})
    if (span := spans.current()) is not None:
        span.add(**{"skysaga.provider": cloud})
        span.tell(call, **known)


def _attributes(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str | None]:
    """What a span says of a step besides how it went."""
    return {
        "skysaga.resource_id": event.get("resource_id"),
        "skysaga.window": event.get("window"),
        "skysaga.source": event.get("source"),
        "faas.invocation_id": context.aws_request_id,
        "aws.xray.trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }


def _milliseconds_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _published(handler: StepHandler) -> StepHandler:
    """Publish what a call has counted, where anybody counts."""
    publishing: StepHandler = metrics.log_metrics(handler) if _counting() else handler
    return publishing


def gauge(name: str, value: int, **dimensions: str) -> None:
    """Record how many there are of something, by service and no step: what an alarm looks at, whichever step saw it."""
    measure(name, value, "Count", **dimensions)


def measure(name: str, value: float, unit: str, **dimensions: str) -> None:
    """Record a value in a unit of CloudWatch's, by service and the dimensions given, at once and by itself.

    What a call counts in all is one document with one set of dimensions; this is a document of its own.
    """
    if not _counting():
        return
    with single_metric(name=name, unit=MetricUnit(unit), value=value, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", metrics.service or NAMESPACE)
        for key, text in dimensions.items():
            metric.add_dimension(key, text)


def where(error: BaseException) -> list[str]:
    """Return where an error was raised, the innermost frame last: its traceback without the text, which may quote."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/lambdas/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


class Broke(Exception):
    """Stands for an error of unknown text, under whose name it is raised."""


def _raise_without_text(error: Exception) -> NoReturn:
    raise type(type(error).__name__, (Broke,), {})(_what_is_safe(error)) from None


def _what_is_safe(error: Exception) -> str:
    """Return where an error was, not what it said; of a payload that is wrong, which fields are and how."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['type']}" for it in error.errors(include_input=False))
    return "its text is kept out, since it may quote anything; the function's log says where it was"


def _identify(event: Mapping[str, Any], context: LambdaContext, step: str) -> None:
    logger.thread_safe_clear_keys()  # an agent's threads work on different sagas
    logger.thread_safe_append_keys(
        correlation_id=str(event.get("saga_id") or event.get("window") or ""),
        step=step,
        resource_id=event.get("resource_id"),
        source=event.get("source"),
        function_request_id=context.aws_request_id,
    )
    tracer.put_annotation("saga_id", str(event.get("saga_id", "")))
    if _counting():
        metrics.add_dimension("step", step)


def _counting() -> bool:
    """Whether anybody counts: nobody reads an agent's metrics, and Powertools would keep them until there are many."""
    return os.environ.get("POWERTOOLS_METRICS_DISABLED", "").lower() != "true"


def _log_failure(error: Exception, milliseconds: int) -> None:
    """Log what failed; the text of an error that is not a step's own may quote anything, and stays out."""
    name = type(error).__name__
    if isinstance(error, StepError | Misconfigured):
        code = error.code if isinstance(error, StepError) else name
        reason = {"error": name, "code": code, "reason": str(error), "milliseconds": milliseconds}
        logger.warning("step failed", extra=reason)
    else:
        logger.error("step broke", extra={"error": name, "where": where(error), "milliseconds": milliseconds})


def _count(name: str, **dimensions: str) -> None:
    if not _counting():
        return
    for key, value in dimensions.items():
        metrics.add_dimension(key, value)
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def _summary(result: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: result[key] for key in ("next", "delay", "wave") if key in result} if result else {}
