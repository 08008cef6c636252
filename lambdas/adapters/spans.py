"""Spans for OpenTelemetry, where the deployment exports them; where it does not, nothing here is even imported.

A saga is one trace: its id, and that of the span which covers all of it, follow from the saga's id. What a function did
is sent before it returns, since it may be frozen right after; a receiver that does not answer costs a step a moment and
never more. Environment: `OTEL_EXPORTER_OTLP_ENDPOINT` and the exporter's other standard variables; OTLP_HEADERS_SECRET
names the secret that holds what OpenTelemetry would have in OTEL_EXPORTER_OTLP_HEADERS, `name=value,name=value`.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lambdas.adapters import clients
from lambdas.adapters.correlation import trace_of
from lambdas.core.errors import StepError

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS_SECRET: Final = "OTLP_HEADERS_SECRET"  # noqa: S105 - the name of a variable that names a secret
PATIENCE_SECONDS: Final = 1.0
"""How long a function waits for a receiver, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise."""

PAUSE_SECONDS: Final = 30.0
"""For how long nothing is sent after a receiver did not take something: a step is not to wait for it every time."""

logger = logging.getLogger(__name__)

Value = str | int | float | bool


class Kind(Enum):
    """What a span stands for, by OpenTelemetry's names."""

    SERVER = "SERVER"  # a call of the API
    INTERNAL = "INTERNAL"  # a step, and a saga as a whole


@dataclass
class Span:
    """What is known of a piece of work so far; `saga_id` may become known while it is done."""

    name: str
    kind: Kind
    saga_id: str
    attributes: dict[str, Value] = field(default_factory=dict)
    events: list[tuple[str, int, dict[str, Value]]] = field(default_factory=list)
    error: str | None = None

    def add(self, **attributes: Value | None) -> None:
        """Say something about it; what is None is not said."""
        self.attributes |= _said(attributes)

    def tell(self, event: str, **attributes: Value | None) -> None:
        """Note something that happens now."""
        self.events.append((event, time.time_ns(), _said(attributes)))


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def current() -> Span | None:
    """The span of what is being done, None where none is exported."""
    return _current.get()


def exported() -> bool:
    """Whether the deployment exports spans."""
    return bool(os.environ.get(ENDPOINT))


@contextmanager
def span(name: str, kind: Kind, saga_id: str, **attributes: Value | None) -> Iterator[None]:
    """Export what is done inside as a span; what it raises is raised, and its name or code told."""
    if not exported():
        yield
        return
    made = Span(name, kind, saga_id, _said(attributes))
    token = _current.set(made)
    began = time.time_ns()
    try:
        yield
    except Exception as error:
        made.error = error.code if isinstance(error, StepError) else type(error).__name__
        raise
    finally:
        _current.reset(token)
        _export(lambda: _readable(made, began, time.time_ns()))


def export_saga(saga_id: str, began: datetime, ended: datetime, status: str, *, well: bool) -> None:
    """Export the span that covers a saga, from its submission to an ending; one that ends again is told again.

    It has the same id each time: what was told last is what there is.
    """
    if not exported():
        return
    made = Span("saga", Kind.INTERNAL, saga_id, {"skysaga.status": status}, error=None if well else status)
    _export(lambda: _readable(made, _nanoseconds(began), _nanoseconds(ended), root=True))


class Sending:
    """The exporter of this process, made when something is first to be sent."""

    def __init__(self) -> None:
        self._exporter: SpanExporter | None = None
        self._not_before = 0.0

    def send(self, make: Callable[[], ReadableSpan]) -> None:
        """Send a span, unless the receiver failed a moment ago. Whatever goes wrong is logged and forgotten."""
        if time.monotonic() < self._not_before:
            return
        try:
            sent = self._ready().export([make()]).name == "SUCCESS"
        except Exception as error:  # a step that has done its work is not to fail for want of a span
            logger.warning("a span cannot be sent: %s", type(error).__name__)
            sent = False
        if not sent:
            self._exporter = None  # what is in the secret may have changed
            self._not_before = time.monotonic() + PAUSE_SECONDS

    def _ready(self) -> SpanExporter:
        if self._exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - 0.1 s

            timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else PATIENCE_SECONDS
            self._exporter = OTLPSpanExporter(headers=_headers(), timeout=timeout)
        return self._exporter


_sending: Final = Sending()
_export: Final = _sending.send


def _headers() -> dict[str, str] | None:
    """The headers to send along, as OTEL_EXPORTER_OTLP_HEADERS would have them; None where no secret is named."""
    secret = os.environ.get(HEADERS_SECRET)
    if not secret:
        return None
    text = clients.secrets().get_secret_value(SecretId=secret)["SecretString"]
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _readable(made: Span, began: int, ended: int, *, root: bool = False) -> ReadableSpan:
    from opentelemetry.sdk.trace import Event, ReadableSpan  # noqa: PLC0415 - only where spans are exported
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415 - as above

    trace = trace_of(made.saga_id) if made.saga_id else None
    trace_id = trace.trace_id if trace else secrets.randbits(128) or 1

    def context(span_id: int) -> SpanContext:
        return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    whole = context(trace.root_span_id) if trace else None
    return ReadableSpan(
        made.name,
        context=whole if root and whole else context(secrets.randbits(64) or 1),
        parent=None if root else whole,
        resource=_resource(),
        attributes={**made.attributes, **_said({"skysaga.saga_id": made.saga_id or None, "error.type": made.error})},
        events=[Event(name, attributes, timestamp) for name, timestamp, attributes in made.events],
        kind=SpanKind[made.kind.value],
        status=Status(StatusCode.ERROR, made.error) if made.error else Status(StatusCode.UNSET),
        start_time=began,
        end_time=ended,
    )


def _resource() -> Resource:
    """Who sends it, by OpenTelemetry's conventions for functions; OTEL_RESOURCE_ATTRIBUTES adds to it."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - only where spans are exported

    known = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("POWERTOOLS_SERVICE_NAME") or "skysaga",
        "cloud.provider": "aws",
        "cloud.region": os.environ.get("AWS_REGION"),
        "faas.name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "faas.version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
    }
    return Resource.create(_said(known))


def _said(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, at.tzinfo)) // timedelta(microseconds=1) * 1000
