"""The Lambda Runtime API on the wire: a request parser and the two answers, as awslambdaric's client speaks it.

Source: "Using the Lambda runtime API" in the Lambda guide. Only what the pinned client sends is understood: a length,
never chunks; anything else raises ProtocolError.
"""

from __future__ import annotations

from dataclasses import dataclass

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n"


class ProtocolError(Exception):
    """A worker sent something that is not a request of the Runtime API."""


@dataclass(frozen=True)
class RuntimeRequest:
    """A worker's request: ask for the next event, or post a response or an error."""

    path: str
    body: bytes


@dataclass(frozen=True)
class Event:
    """One event for a worker; `deadline` in seconds since the epoch, `function_arn` as the caller qualified it."""

    request_id: str
    function_arn: str
    deadline: float
    payload: bytes
    trace_id: str

    def encoded(self) -> bytes:
        """Return the answer to `GET next`."""
        head = (
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(self.payload)}\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {self.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(self.deadline * 1000)}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {self.function_arn}\r\n"
            f"Lambda-Runtime-Trace-Id: {self.trace_id}\r\n\r\n"
        )
        return head.encode() + self.payload


class RequestParser:
    """Collects the bytes of one connection and gives back whole requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._path = ""
        self._missing: int | None = None

    def feed(self, data: bytes) -> RuntimeRequest | None:
        """Add `data`; return a request once it is whole. The client waits for each answer, so there is one at most."""
        self._buffer += data
        if self._missing is None:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return None
            self._path, self._missing = _parse_head(bytes(head))
            self._buffer = rest
        if len(self._buffer) < self._missing:
            return None
        request = RuntimeRequest(self._path, bytes(self._buffer))
        self._buffer, self._missing = bytearray(), None
        return request


def _parse_head(head: bytes) -> tuple[str, int]:
    lines = head.decode("latin-1").split("\r\n")
    try:
        _method, path, _version = lines[0].split(" ")
    except ValueError:
        raise ProtocolError("not a request line") from None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "transfer-encoding" in headers or "expect" in headers:
        raise ProtocolError("the runtime client changed its framing")
    return path, int(headers.get("content-length", "0"))
