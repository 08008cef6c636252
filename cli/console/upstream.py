"""The API behind the console: the calls that the page makes, and no others, signed as the operator's own."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from cli.console.guard import Refused
from cli.endpoint import Deployment

_SAGA: Final = r"/sagas/[a-z0-9]{1,40}"
_CALLS: Final = (
    ("GET", re.compile(rf"/sagas|{_SAGA}|{_SAGA}/events|/clusters|/costs")),
    ("POST", re.compile(rf"{_SAGA}/(?:approve|cancel|resume)")),
    ("DELETE", re.compile(_SAGA)),
)
_SENT_ON: Final = ("Accept", "If-Match", "If-None-Match")
_GIVEN_BACK: Final = ("Content-Type", "ETag", "Link", "Retry-After")
_PATIENCE: Final = (3, 35)
"""Seconds to connect, and to wait for an answer: a long poll takes up to twenty."""


class Answer(NamedTuple):
    """What the API said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Upstream:
    """Passes calls on to a deployment's API, from any number of threads at once.

    Credentials are asked for each call, so that those which expire are renewed for as long as the console runs.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._own = threading.local()

    def call(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """The API's answer to one call; raises Refused for a call that the page does not make, or for no answer."""
        if not any(method == verb and pattern.fullmatch(path) for verb, pattern in _CALLS):
            detail = f"{method} {path} is none of the calls that the console passes on."
            raise Refused(HTTPStatus.NOT_FOUND, "The console does not do this", detail)
        url = self._deployment.address + path + (f"?{query}" if query else "")
        sent = {name: headers[name] for name in _SENT_ON if name in headers}
        try:
            answer = self._session().request(
                method, url, headers=self._signed(method, url, sent), timeout=_PATIENCE, allow_redirects=False
            )
        except BotoCoreError as error:
            detail = f"{error}. Sign in again where your credentials come from; the console then goes on."
            raise Refused(HTTPStatus.BAD_GATEWAY, "There are no AWS credentials to sign with", detail) from error
        except requests.RequestException as error:
            detail = f"No answer from {self._deployment.address} ({type(error).__name__})."
            raise Refused(HTTPStatus.BAD_GATEWAY, "The API does not answer", detail) from error
        given = {name: answer.headers[name] for name in _GIVEN_BACK if name in answer.headers}
        return Answer(answer.status_code, given, answer.content)

    def _signed(self, method: str, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        request = AWSRequest(method, url, headers=dict(headers))
        credentials = self._deployment.credentials.get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", self._deployment.region).add_auth(request)
        return dict(request.headers.items())

    def _session(self) -> requests.Session:
        """One for each thread: sessions are not made to be shared."""
        session: requests.Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = requests.Session()
            session.trust_env = False  # neither a proxy nor a .netrc has a say in whose calls these are
        return session
