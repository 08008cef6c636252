"""The HTTP API from Python: the generated operations, called as somebody, with problems as exceptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, Literal, TypeVar, cast

from botocore.credentials import Credentials, ReadOnlyCredentials
from requests.auth import AuthBase

from cli import api
from cli.endpoint import ANSWER_SECONDS
from cli.problems import ApiProblem
from cli.states import ends, is_divided
from cli.transport import CredentialsSource, Signature, Transport

__all__ = ["ApiClient", "ApiProblem"]

MediaType = Literal["application/json", "application/yaml"]

_LONG_POLL_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.2
"""Before asking again for events where the API did not wait for one: a saga that has ended has none to wait for."""

D = TypeVar("D")


class ApiClient:
    """Calls one deployment of the API; requests are signed as IAM authorization wants them.

    Every method raises ApiProblem for a refusal, Unreachable without an answer, and Unsigned.
    """

    def __init__(
        self, endpoint: str, credentials: Credentials | ReadOnlyCredentials | CredentialsSource, region: str
    ) -> None:
        self._authorize(endpoint, Signature(credentials, region))

    @classmethod
    def authorized(cls, endpoint: str, auth: AuthBase, seconds: float = ANSWER_SECONDS) -> ApiClient:
        """A client that proves in another way who calls, and waits no longer than `seconds` for an answer."""
        client = cls.__new__(cls)
        client._authorize(endpoint, auth, seconds)
        return client

    def _authorize(self, endpoint: str, auth: AuthBase, seconds: float = ANSWER_SECONDS) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._api = api.Api(Transport(self.endpoint, auth, seconds))

    def submit(self, document: bytes, content_type: MediaType, key: str) -> api.Accepted:
        """Submit a request document; the same key and document again give the same saga."""
        return _told(lambda: self._api.submit_saga(document, content_type, idempotency_key=key))

    def plan(self, document: bytes, content_type: MediaType) -> api.Plan:
        """What would become of a request document now: its order, and what the clouds are short of."""
        return _told(lambda: self._api.plan(document, content_type))

    def get(self, saga_id: str) -> api.Saga:
        """A saga with all its resources, through all pages; its `events_cursor` is that of the first."""
        saga = first = _told(lambda: self._api.get_saga(saga_id))
        resources = first["resources"]
        while cursor := saga.get("next_cursor"):
            saga = _told(partial(self._api.get_saga, saga_id, cursor=cursor))
            resources += saga["resources"]
        return {**saga, "resources": resources, "events_cursor": first["events_cursor"]}

    def header(self, saga_id: str) -> api.Saga:
        """A saga without most of its resources, where it has many."""
        return _told(lambda: self._api.get_saga(saga_id, limit=1))

    def sagas(
        self,
        status: str | None = None,
        label: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> api.SagaPage:
        """A page of sagas, the newest first, and the cursor of the next."""
        asked = cast("api.SagaStatus | None", status)
        return _told(lambda: self._api.list_sagas(status=asked, label=label, limit=limit, cursor=cursor))

    def approve(self, saga_id: str) -> api.Accepted:
        """Let a saga go on that waits for approval."""
        return _told(lambda: self._api.approve_saga(saga_id))

    def cancel(self, saga_id: str) -> api.Accepted:
        """Have a saga undone that has not committed."""
        return _told(lambda: self._api.cancel_saga(saga_id))

    def resume(self, saga_id: str) -> api.Accepted:
        """Try again to remove what a saga had to leave behind."""
        return _told(lambda: self._api.resume_saga(saga_id))

    def destroy(self, saga_id: str) -> api.Accepted:
        """Remove every resource of a saga."""
        return _told(lambda: self._api.destroy_saga(saga_id))

    def events(self, saga_id: str, after: str | int = 0, wait: float = 0) -> api.EventPage:
        """A page of the events after a cursor, once there is one or `wait` seconds have passed."""
        return _told(lambda: self._api.list_events(saga_id, after=str(after), wait=wait))

    def follow(self, saga_id: str, after: str | int = 0) -> Iterator[api.SagaEvent]:
        """Every event of a saga after a cursor, as it happens, until the saga has ended."""
        over = False
        while True:
            page = self.events(saga_id, after, 0 if over else _LONG_POLL_SECONDS)
            after = page["next_cursor"]
            for event in page["items"]:
                yield event
                over = over or ends(event)
                if over and not is_divided(after):
                    return
            if over and not page["items"]:
                return
            if not page["items"]:
                time.sleep(_PAUSE_SECONDS)

    def clusters(self) -> list[api.Cluster]:
        """The private clusters whose targets the caller may use."""
        return _told(self._api.list_clusters)["items"]

    def drain(self, cluster: str, drained: bool) -> api.Cluster:
        """Let a cluster take nothing new, or again; returns it as it is now."""
        order = self._api.drain_cluster if drained else self._api.undrain_cluster
        return _told(lambda: order(cluster))

    def costs(self, parameters: Mapping[str, str]) -> api.CostPage:
        """A page of what something costs, with how fresh that is; a 503 means that the same call goes on with it."""
        asked: dict[str, Any] = {_PYTHON_NAMES.get(name, name): value for name, value in parameters.items()}
        return _told(lambda: self._api.ask_costs(**asked))

    def start_sweep(self, dry_run: bool) -> api.Sweep:
        """Have a sweep begin; a dry run only looks."""
        return _told(lambda: self._api.start_sweep({"dry_run": dry_run}))

    def sweep(self, sweep_id: str) -> api.Sweep:
        """A sweep, with what it found once it has ended."""
        return _told(lambda: self._api.get_sweep(sweep_id))


_PYTHON_NAMES: Final = {"from": "from_"}
"""Parameters whose name is a word of Python's own."""


def _told(call: Callable[[], api.Answer[D]]) -> D:
    """The document that a call is answered with; raises ApiProblem for a refusal."""
    try:
        return call().document
    except api.Refused as refused:
        raise ApiProblem(refused.status, cast("dict[str, Any]", refused.problem)) from refused
