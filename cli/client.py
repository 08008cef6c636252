"""The HTTP API from Python: one method for each of its operations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from botocore.credentials import Credentials, ReadOnlyCredentials
from requests.auth import AuthBase

from cli.problems import ApiProblem
from cli.states import ends
from cli.transport import ANSWER_SECONDS, CredentialsSource, Signature, Transport, document_of

__all__ = ["ApiClient", "ApiProblem"]

LONG_POLL_SECONDS: Final = 10

_PAUSE_SECONDS: Final = 0.2
"""Before asking again for events where the API did not wait for one: a saga that has ended has none to wait for."""


class ApiClient:
    """Calls one deployment of the API; requests are signed as IAM authorization wants them."""

    def __init__(
        self, endpoint: str, credentials: Credentials | ReadOnlyCredentials | CredentialsSource, region: str
    ) -> None:
        self._transport = Transport(endpoint, Signature(credentials, region))

    @classmethod
    def authorized(cls, endpoint: str, auth: AuthBase) -> ApiClient:
        """A client that proves in another way who calls."""
        client = cls.__new__(cls)
        client._transport = Transport(endpoint, auth)
        return client

    @property
    def endpoint(self) -> str:
        """The address of the API, without a slash at its end."""
        return self._transport.endpoint

    def submit(self, document: bytes, content_type: str, key: str) -> dict[str, Any]:
        """Submit a request document; the same key and document again give the same saga."""
        return self._call("POST", "/sagas", document, {"Content-Type": content_type, "Idempotency-Key": key})

    def plan(self, document: bytes, content_type: str) -> dict[str, Any]:
        """What would become of a request document now: its order, and what the clouds are short of."""
        return self._call("POST", "/plans", document, {"Content-Type": content_type})

    def get(self, saga_id: str) -> dict[str, Any]:
        """A saga with its resources."""
        return self._call("GET", _saga(saga_id))

    def sagas(self, parameters: Mapping[str, str], seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """A page of sagas, the newest first, and the cursor of the next."""
        return self._call("GET", f"/sagas?{urlencode(parameters)}", seconds=seconds)

    def approve(self, saga_id: str) -> dict[str, Any]:
        """Let a saga go on that waits for approval."""
        return self._call("POST", f"{_saga(saga_id)}/approve")

    def cancel(self, saga_id: str) -> dict[str, Any]:
        """Have a saga undone that has not committed."""
        return self._call("POST", f"{_saga(saga_id)}/cancel")

    def resume(self, saga_id: str) -> dict[str, Any]:
        """Try again to remove what a saga had to leave behind."""
        return self._call("POST", f"{_saga(saga_id)}/resume")

    def destroy(self, saga_id: str) -> dict[str, Any]:
        """Remove every resource of a saga."""
        return self._call("DELETE", _saga(saga_id))

    def events(self, saga_id: str, after: int = 0, wait: float = 0) -> dict[str, Any]:
        """A page of the events numbered above `after`, once there is one or `wait` seconds have passed."""
        return self._call("GET", f"{_saga(saga_id)}/events?after={after}&wait={wait:g}")

    def follow(self, saga_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every event of a saga numbered above `after`, as it happens, until the saga has ended."""
        while True:
            page = self.events(saga_id, after, LONG_POLL_SECONDS)
            after = page["next_cursor"]
            for event in page["items"]:
                yield event
                if ends(event):
                    return
            if not page["items"]:
                time.sleep(_PAUSE_SECONDS)

    def clusters(self) -> list[dict[str, Any]]:
        """The private clusters whose targets the caller may use."""
        items: list[dict[str, Any]] = self._call("GET", "/clusters")["items"]
        return items

    def drain(self, cluster: str, drained: bool) -> dict[str, Any]:
        """Let a cluster take nothing new, or again; returns it as it is now."""
        return self._call("PUT" if drained else "DELETE", f"/clusters/{quote(cluster, safe='')}/drain")

    def costs(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """A page of what something costs, with how fresh that is; a 503 means that the same call goes on with it."""
        return self._call("GET", f"/costs?{urlencode(parameters)}")

    def begin_sweep(self, dry_run: bool) -> dict[str, Any]:
        """Have a sweep begin; a dry run only looks."""
        body = b'{"dry_run": true}' if dry_run else b'{"dry_run": false}'
        return self._call("POST", "/sweeps", body, {"Content-Type": "application/json"})

    def sweep(self, sweep_id: str) -> dict[str, Any]:
        """A sweep, with what it found once it has ended."""
        return self._call("GET", f"/sweeps/{quote(sweep_id, safe='')}")

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:
        return document_of(self._transport.call(method, path, body, headers, seconds))


def _saga(saga_id: str) -> str:
    return f"/sagas/{quote(saga_id, safe='')}"
