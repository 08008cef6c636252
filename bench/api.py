"""The API of one machine as whoever measures it calls it, and the request that most of them make."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.machine import CREDENTIALS, REGION

ENDINGS: Final = ("COMMITTED", "ROLLED_BACK", "NEEDS_ATTENTION")
"""How a saga ends that is to be provisioned."""


def document() -> dict[str, Any]:
    """A machine on each of three clouds."""
    machines: list[dict[str, Any]] = [
        {"id": "aws", "provider": "aws", "region": "eu-west-1"},
        {"id": "azure", "provider": "azure", "region": "westeurope"},
        {"id": "gcp", "provider": "gcp", "zone": "europe-west1-b"},
    ]
    specs: list[dict[str, Any]] = [
        {"image": "ami-0abc1234567890def", "size": "t3.micro"},
        {
            "image": "Canonical:ubuntu-24_04-lts:server:latest",
            "size": "Standard_B1s",
            "resource_group": "shop",
            "network": "default",
            "subnet": "default",
            "admin_username": "ops",
            "ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ops",
        },
        {"image": "projects/debian-cloud/global/images/family/debian-12", "size": "e2-small", "network": "default"},
    ]
    resources = [{**it, "kind": "instance", "spec": spec} for it, spec in zip(machines, specs, strict=True)]
    return {"name": "bench", "resources": resources}


class Api:
    """Signed calls to the API, on one connection for each thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections = threading.local()
        ((access_key, secret_key),) = CREDENTIALS.items()
        self._credentials = Credentials(access_key, secret_key)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The document that the API answers; raises RuntimeError when it refuses."""
        data = json.dumps(body).encode() if body else None
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())} if body else {}
        request = AWSRequest(method, self._url + path, headers=headers, data=data)
        SigV4Auth(self._credentials, "execute-api", REGION).add_auth(request)
        connection = self._connection()
        connection.request(method, path, data, dict(request.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()[:500]}")
        return json.loads(text)

    def ended(
        self,
        saga: str,
        among: Collection[str] = ENDINGS,
        *,
        every: float = 1.0,
        seconds: float = 3_600.0,
        undaunted: bool = False,
    ) -> str:
        """The status in which a saga rests, looked for `every` so many seconds.

        Raises RuntimeError when it does not get on, and for a look that is refused, unless one is `undaunted`.
        """
        given_up = time.monotonic() + seconds
        while time.monotonic() < given_up:
            with suppress(*[RuntimeError] if undaunted else []):
                if (status := str(self.call("GET", f"/sagas/{saga}?limit=1")["status"])) in among:
                    return status
            time.sleep(every)
        raise RuntimeError(f"saga {saga} does not get on, so there is nothing to count")

    def _connection(self) -> HTTPConnection:
        if not hasattr(self._connections, "one"):
            self._connections.one = HTTPConnection(urlsplit(self._url).netloc, timeout=30)
        connection: HTTPConnection = self._connections.one
        return connection
