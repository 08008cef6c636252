"""EC2 as a WSGI application: one operation at a time, so that repetitions that cross each other start one thing."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import TYPE_CHECKING

from local.aws.ec2.region import Regions
from local.aws.ec2.responses import CorrectedEC2Response
from local.aws.moto_wsgi import answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Ec2Application:
    """Answers the EC2 query protocol for every region of the account."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._one_at_a_time = RLock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with self._one_at_a_time:
            return list(answer(lambda: CorrectedEC2Response(self._regions), environ, start_response))
