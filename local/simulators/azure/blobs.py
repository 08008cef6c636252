"""A simulated storage account's blobs: to be listed and read, and written by whoever runs it.

The two operations are `ListBlobs` and `GetBlob`, with ranges, If-Match and pages, as in
https://learn.microsoft.com/rest/api/storageservices/. Any bearer token will do, as for the simulated Resource Manager.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import unquote
from xml.sax.saxutils import escape

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.simulators.faults import Fault
from local.simulators.simulator import Simulator

_XML: Final = '<?xml version="1.0" encoding="utf-8"?>'
_RANGE: Final = re.compile(r"bytes=(?P<first>\d+)-(?P<last>\d*)")


class Blob(NamedTuple):
    """One block blob, and when it was written (Unix seconds)."""

    content: bytes
    etag: str
    modified: float


class _Refusal(Exception):
    """A request refused with a code of Blob Storage's."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> Response:
        """The answer that carries it."""
        body = f"{_XML}<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        headers = {"x-ms-error-code": self.code, **{name.replace("_", "-"): it for name, it in self.headers.items()}}
        return Response(body, status=self.status, headers=headers, content_type="application/xml")


class BlobStorage(Simulator):
    """One storage account; `page_size` is the most blobs in one answer."""

    def __init__(self, clock: Clock, sleep: Callable[[float], None], page_size: int = 5000) -> None:
        super().__init__(clock, sleep)
        self.page_size = page_size
        self._containers: dict[str, dict[str, Blob]] = {}

    def put(self, container: str, name: str, content: bytes) -> None:
        """Write a blob, in place of one that is there."""
        blob = Blob(content, f"0x{uuid.uuid4().hex[:15].upper()}", self.clock.now())
        self._containers.setdefault(container, {})[name] = blob

    def delete(self, container: str, prefix: str) -> None:
        """Remove every blob whose name begins so."""
        blobs = self._containers.setdefault(container, {})
        for name in [it for it in blobs if it.startswith(prefix)]:
            del blobs[name]

    def names(self, container: str) -> list[str]:
        """What there is, in order."""
        return sorted(self._containers.get(container, {}))

    def operation(self, request: Request) -> str:
        """`ListBlobs`, `GetBlob`, or `Unknown`."""
        if request.method != "GET":
            return "Unknown"
        if request.args.get("comp") == "list":
            return "ListBlobs"
        return "GetBlob" if "/" in request.path.strip("/") else "Unknown"

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer one request; refusals are answers, too."""
        try:
            return self._answered(request)
        except _Refusal as refusal:
            return refusal.response()

    def throttled(self, request: Request) -> Response:
        """Blob Storage's own word for it is a 503."""
        return _Refusal(503, "ServerBusy", "The server is busy.", Retry_After="10").response()

    def unavailable(self, request: Request) -> Response:
        """Blob Storage's own 500."""
        return _Refusal(500, "InternalError", "The server encountered an internal error.").response()

    def quoting(self, body: str) -> Response:
        """InvalidInput."""
        return _Refusal(400, "InvalidInput", f"One of the request inputs is not valid: {body}").response()

    def resources(self) -> list[dict[str, Any]]:
        """Every blob."""
        return [
            {"id": f"{container}/{name}", "type": "blob", "name": name, "status": "Available", "marks": {}}
            for container, blobs in self._containers.items()
            for name in blobs
        ]

    def _answered(self, request: Request) -> Response:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            raise _Refusal(401, "NoAuthenticationInformation", "Server failed to authenticate the request.")
        container, _, name = unquote(request.path).strip("/").partition("/")
        if container not in self._containers:
            raise _Refusal(404, "ContainerNotFound", "The specified container does not exist.")
        blobs = self._containers[container]
        match self.operation(request):
            case "ListBlobs":
                return self._list(request, container, blobs)
            case "GetBlob" if name in blobs:
                return _got(request, blobs[name])
            case "GetBlob":
                raise _Refusal(404, "BlobNotFound", "The specified blob does not exist.")
            case _:
                raise _Refusal(405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")

    def _list(self, request: Request, container: str, blobs: dict[str, Blob]) -> Response:
        prefix, marker = request.args.get("prefix", ""), request.args.get("marker", "")
        most = min(self.page_size, int(request.args.get("maxresults", self.page_size)))
        names = [name for name in sorted(blobs) if name.startswith(prefix) and name >= marker]
        listed = "".join(_listed(name, blobs[name]) for name in names[:most])
        more = escape(names[most]) if len(names) > most else ""
        body = (
            f'{_XML}<EnumerationResults ServiceEndpoint="{escape(request.host_url)}" ContainerName="{container}">'
            f"<Prefix>{escape(prefix)}</Prefix><MaxResults>{most}</MaxResults><Blobs>{listed}</Blobs>"
            f"<NextMarker>{more}</NextMarker></EnumerationResults>"
        )
        return Response(body, content_type="application/xml")


def _listed(name: str, blob: Blob) -> str:
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{_date(blob)}</Last-Modified>"
        f"<Etag>{blob.etag}</Etag><Content-Length>{len(blob.content)}</Content-Length>"
        "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType></Properties></Blob>"
    )


def _got(request: Request, blob: Blob) -> Response:
    """A blob, or the range of it that is asked for."""
    wanted = request.headers.get("If-Match", "*").strip('"')
    if wanted not in ("*", blob.etag):
        raise _Refusal(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
    headers = {"ETag": f'"{blob.etag}"', "Last-Modified": _date(blob), "x-ms-blob-type": "BlockBlob"}
    headers["Accept-Ranges"] = "bytes"
    asked = _RANGE.fullmatch(request.headers.get("x-ms-range") or request.headers.get("Range") or "")
    size = len(blob.content)
    if asked is None:
        return Response(blob.content, headers=headers, content_type="application/octet-stream")
    first, last = int(asked["first"]), min(int(asked["last"] or size), size - 1)
    if first >= size:
        raise _Refusal(416, "InvalidRange", "The range specified is invalid.", Content_Range=f"bytes */{size}")
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    part = blob.content[first : last + 1]
    return Response(part, status=206, headers=headers, content_type="application/octet-stream")


def _date(blob: Blob) -> str:
    return http_date(datetime.fromtimestamp(blob.modified, UTC))
