"""Tells the pump when a rule or schedule may have changed: after each request that changes EventBridge or Scheduler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_EVENTS_SCOPE: Final = re.compile(r"Credential=[^/]*/\d{8}/[^/]+/(events|scheduler)/aws4_request")
_READING: Final = re.compile(r"\.(Describe|List|Test)\w+$")


class Watching:
    """Hands every request on to `app`, and calls `changed` before such a request is answered."""

    def __init__(self, app: WSGIApplication, changed: Callable[[], None]) -> None:
        self._app = app
        self._changed = changed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        answer = self._app(environ, start_response)
        if _changes(environ):
            answer = list(answer)
            self._changed()
        return answer


def _changes(environ: WSGIEnvironment) -> bool:
    if not _EVENTS_SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")):
        return False
    reads = environ["REQUEST_METHOD"] == "GET" or _READING.search(environ.get("HTTP_X_AMZ_TARGET", ""))
    return not reads
