"""Tells when what some services hold may have changed: after each request to them that is not a mere question."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_SCOPE: Final = re.compile(r"Credential=[^/]*/\d{8}/[^/]+/([a-z]+)/aws4_request")
_READING: Final = re.compile(r"\.(BatchGet|Describe|Get|List|Query|Scan|Test|TransactGet)\w*$")


class Watching:
    """Hands every request on to `app`, and calls `changed` before such a request to one of `services` is answered."""

    def __init__(self, app: WSGIApplication, services: Collection[str], changed: Callable[[], None]) -> None:
        self._app = app
        self._services = services
        self._changed = changed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        answer = self._app(environ, start_response)
        if self._changes(environ):
            answer = list(answer)
            self._changed()
        return answer

    def _changes(self, environ: WSGIEnvironment) -> bool:
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None or scope[1] not in self._services:
            return False
        reads = environ["REQUEST_METHOD"] == "GET" or _READING.search(environ.get("HTTP_X_AMZ_TARGET", ""))
        return not reads
