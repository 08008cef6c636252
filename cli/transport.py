"""One call of the HTTP API: signed or with a token, JSON in and out, problems as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from requests.auth import AuthBase

from cli import __version__
from cli.api import Answer
from cli.endpoint import ANSWER_SECONDS, LOOPBACK
from cli.problems import Unreachable, Unsigned

CONNECT_SECONDS: Final = 3.0
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
    """Calls one deployment's API as somebody, as the generated operations want it; may be used by several threads.

    A redirection is not followed: nobody else is to be shown a token or a signature.
    """

    def __init__(self, endpoint: str, auth: AuthBase, seconds: float = ANSWER_SECONDS) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._timeout = (min(CONNECT_SECONDS, seconds), seconds)
        self._session = requests.Session()
        self._session.trust_env = urlsplit(endpoint).hostname not in LOOPBACK  # no proxy leads back to here
        self._session.headers["User-Agent"] = f"skysaga/{__version__}"

    def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> Answer[Any]:
        """Make one call; raises Unreachable without an answer, and Unsigned where there is nothing to sign with."""
        url = self._endpoint + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        try:
            answer = self._session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                auth=self._auth,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"the API at {self._endpoint} does not answer ({type(error).__name__})") from error
        told = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, told, _document_of(answer))


def _document_of(answer: requests.Response) -> Any:
    """The JSON in an answer; where there is none, an object with its text as the title."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return {"title": answer.text[:_TOLD] or answer.reason}
