"""A receiver of OpenTelemetry's own protocol, which decodes what it is sent with OpenTelemetry's own messages."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from werkzeug.wrappers import Request, Response

from local.http_server import serve


@dataclass(frozen=True)
class Received:
    """A span as it was sent, and by whom."""

    span: Span
    resource: dict[str, Any]

    @property
    def trace_id(self) -> int:
        return int.from_bytes(self.span.trace_id)

    @property
    def span_id(self) -> int:
        return int.from_bytes(self.span.span_id)

    @property
    def parent_id(self) -> int:
        return int.from_bytes(self.span.parent_span_id)

    @property
    def failed(self) -> bool:
        return bool(self.span.status.code == Status.STATUS_CODE_ERROR)

    @property
    def attributes(self) -> dict[str, Any]:
        return values(self.span.attributes)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(it.name, values(it.attributes)) for it in self.span.events]


@dataclass
class Receiver:
    """Answers at /v1/traces with `status`; what it took, and the headers of each call, can be looked at."""

    url: str = ""
    status: int = 200
    spans: list[Received] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def of_saga(self, trace_id: int) -> list[Received]:
        """Everything of one trace."""
        return [it for it in list(self.spans) if it.trace_id == trace_id]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.path != "/v1/traces" or self.status != 200:
            return Response(status=self.status if request.path == "/v1/traces" else 404)(environ, start_response)
        body = request.get_data()
        sent = ExportTraceServiceRequest.FromString(
            gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
        )
        for it in sent.resource_spans:
            by = values(it.resource.attributes)
            self.spans += [Received(span, by) for scope in it.scope_spans for span in scope.spans]
        answer = Response(ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf")
        return answer(environ, start_response)


def values(attributes: Any) -> dict[str, Any]:
    """OpenTelemetry's attributes as plain values."""
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in attributes}


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """A receiver on a port of its own, as long as the context lasts."""
    receiver = Receiver()
    with serve(receiver, name="otlp") as server:
        receiver.url = server.url
        yield receiver
