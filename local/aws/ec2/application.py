"""EC2 as a WSGI application: one operation at a time, so that repetitions that cross each other start one thing."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.exceptions import HTTPException

from local.aws.ec2.hooks import OperationHooks
from local.aws.ec2.region import Regions
from local.aws.ec2.responses import CorrectedEC2Response
from local.aws.moto_wsgi import answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Ec2Application:
    """Answers the EC2 query protocol for every region of the account."""

    def __init__(self, regions: Regions, hooks: OperationHooks) -> None:
        self._regions = regions
        self._hooks = hooks
        self._one_at_a_time = RLock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, with the hooks around its operation."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        operation = parse_qs(body.decode()).get("Action", [""])[0]
        replies: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            self._hooks.before(operation)
            with self._one_at_a_time:
                answered = list(answer(lambda: CorrectedEC2Response(self._regions), environ, _later(replies)))
            self._hooks.after(operation)
        except HTTPException as refusal:
            return refusal.get_response(environ)(environ, start_response)
        start_response(*replies[0])
        return answered


def _later(replies: list[tuple[str, list[tuple[str, str]]]]) -> StartResponse:
    """Keep status and headers back until it is known that the reply will be sent."""

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> object:
        replies.append((status, headers))
        return None

    return start_response  # type: ignore[return-value]  # nothing here uses the legacy write callable
