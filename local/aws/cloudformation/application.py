"""CloudFormation as a WSGI application, calling the other services back at the address its request came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from local.aws.clients import create_client
from local.aws.cloudformation.provider import Provider
from local.aws.cloudformation.responses import CloudFormationResponse
from local.aws.cloudformation.service import CloudFormation
from local.aws.moto_wsgi import answer
from local.clock import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class CloudFormationApplication:
    """Every region of the account; `providers` are the resource types there are, `wait` lets seconds pass."""

    def __init__(
        self, account_id: str, clock: Clock, providers: Mapping[str, Provider], wait: Callable[[float], None]
    ) -> None:
        self._account_id = account_id
        self._clock = clock
        self._providers = providers
        self._wait = wait
        self._regions: dict[str, CloudFormation] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()
        self._endpoint = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        self._endpoint = self._endpoint or f"http://{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return answer(lambda: CloudFormationResponse(self._region), environ, start_response)

    def _region(self, name: str) -> CloudFormation:
        with self._lock:
            if name not in self._regions:
                self._regions[name] = CloudFormation(
                    self._account_id, name, self._clock, self._providers, self._client_factory(name), self._wait
                )
            return self._regions[name]

    def _client_factory(self, region: str) -> Callable[[str], Any]:
        def client(service: str) -> Any:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = create_client(service, self._endpoint, region)
            return self._clients[key]

        return client
