"""One call of the HTTP API: signed or with a token, JSON in and out, problems as exceptions."""

from __future__ import annotations

from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from requests.auth import AuthBase

from cli import __version__
from cli.endpoint import LOOPBACK
from cli.problems import ApiProblem, Unreachable, Unsigned

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 35.0
"""Longer than API Gateway's own 30."""

_SIGNED: Final = frozenset({"content-type", "idempotency-key", "if-match", "if-none-match"})
_TOLD: Final = 200
"""Characters, of an answer that is no document."""


class CredentialsSource(Protocol):
    """Credentials that may be others at the next call, as those of a role are."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Those that are good now."""


class Signature(AuthBase):
    """Signs a request as API Gateway's IAM authorization wants it, each with the credentials that are good then."""

    def __init__(self, credentials: Credentials | ReadOnlyCredentials | CredentialsSource, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers that prove who calls."""
        headers = {name: value for name, value in request.headers.items() if name.lower() in _SIGNED}
        signed = AWSRequest(request.method, request.url, headers=headers, data=request.body)
        SigV4Auth(self._now(), "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request

    def _now(self) -> ReadOnlyCredentials | Credentials:
        held = self._credentials
        try:
            return held if isinstance(held, ReadOnlyCredentials) else held.get_frozen_credentials()
        except BotoCoreError as error:
            raise Unsigned(f"the AWS credentials cannot be used: {error}") from error


class Bearer(AuthBase):
    """Shows the token of a deployment's token issuer."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Calls one deployment's API as somebody; may be used by several threads.

    A redirection is not followed: nobody else is to be shown a token or a signature.
    """

    def __init__(self, endpoint: str, auth: AuthBase) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._auth = auth
        self._session = requests.Session()
        self._session.trust_env = urlsplit(self.endpoint).hostname not in LOOPBACK  # no proxy leads back to here
        self._session.headers["User-Agent"] = f"skysaga/{__version__}"

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> requests.Response:
        """The answer to one call; raises ApiProblem for a refusal, Unreachable without an answer, and Unsigned."""
        try:
            answer = self._session.request(
                method,
                self.endpoint + path,
                headers=headers,
                data=body,
                auth=self._auth,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"the API at {self.endpoint} does not answer ({type(error).__name__})") from error
        if not 200 <= answer.status_code < 300:
            raise ApiProblem(answer.status_code, document_of(answer))
        return answer


def document_of(answer: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer; one with its text as the title where there is none."""
    try:
        document = answer.json()
    except requests.JSONDecodeError:
        document = None
    return document if isinstance(document, dict) else {"title": answer.text[:_TOLD] or answer.reason}
