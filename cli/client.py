"""The HTTP API from Python: signed requests, documents in and out, problems as exceptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials

_LONG_POLL_SECONDS = 10
_ENDINGS = ("COMMITTED", "ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION")


class ApiProblem(Exception):
    """The API refused; `problem` is its RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        fields = [f"{error['field']}: {error['reason']}" for error in problem.get("errors", [])]
        title = problem.get("title") or problem.get("message") or "refused"
        super().__init__("\n".join([f"{status} {title}", *filter(None, [problem.get("detail")]), *fields]))
        self.status = status
        self.problem = problem


class ApiClient:
    """Calls one deployment of the API; requests are signed as IAM authorization wants them."""

    def __init__(self, endpoint: str, credentials: Credentials | ReadOnlyCredentials, region: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._auth = SigV4Auth(credentials, "execute-api", region)
        self._session = requests.Session()

    def submit(self, document: bytes, content_type: str, key: str) -> dict[str, Any]:
        """Submit a request document; the same key and document again give the same saga."""
        return self._call("POST", "/sagas", document, {"Content-Type": content_type, "Idempotency-Key": key})

    def plan(self, document: bytes, content_type: str) -> dict[str, Any]:
        """What would become of a request document now: its order, and what the clouds are short of."""
        return self._call("POST", "/plans", document, {"Content-Type": content_type})

    def get(self, saga_id: str) -> dict[str, Any]:
        """A saga with its resources."""
        return self._call("GET", f"/sagas/{saga_id}")

    def approve(self, saga_id: str) -> dict[str, Any]:
        """Let a saga go on that waits for approval."""
        return self._call("POST", f"/sagas/{saga_id}/approve")

    def cancel(self, saga_id: str) -> dict[str, Any]:
        """Have a saga undone that has not committed."""
        return self._call("POST", f"/sagas/{saga_id}/cancel")

    def destroy(self, saga_id: str) -> dict[str, Any]:
        """Remove every resource of a saga."""
        return self._call("DELETE", f"/sagas/{saga_id}")

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

    def follow(self, saga_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every event of a saga numbered above `after`, as it happens, until the saga has ended."""
        while True:
            page = self._call("GET", f"/sagas/{saga_id}/events?after={after}&wait={_LONG_POLL_SECONDS}")
            after = page["next_cursor"]
            for event in page["items"]:
                yield event
                if event["resource"] is None and event["status"] in _ENDINGS:
                    return

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        url = self._endpoint + path
        request = AWSRequest(method, url, headers=headers or {}, data=body)
        self._auth.add_auth(request)
        answer = self._session.request(method, url, headers=dict(request.headers.items()), data=body, timeout=(3, 35))
        try:
            document: dict[str, Any] = answer.json()
        except json.JSONDecodeError:
            document = {"title": answer.text[:200]}
        if not answer.ok:
            raise ApiProblem(answer.status_code, document)
        return document
