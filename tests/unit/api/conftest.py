"""The API over fakes, called as API Gateway calls it."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from lambdas.adapters.observability import logger
from lambdas.api import handler as api
from lambdas.api import problems
from lambdas.api.costs import Billing
from lambdas.api.routes import make_app
from lambdas.core.sagas import Sagas
from tests.fakes.access import FakeAccess
from tests.fakes.checks import FakeChecks
from tests.fakes.clusters import FakeClusters
from tests.fakes.executions import FakeExecutions
from tests.fakes.sweeps import FakeSweeps
from tests.unit.core.world import World, make_world

KINDS = [it for it in vars(problems).values() if isinstance(it, problems.Kind)]
CALLER = "arn:aws:iam::123456789012:user/ops"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def problems(self) -> dict[str, str]:
        """The reasons of a problem document by field; fails unless it is one."""
        assert self.headers["Content-Type"] == "application/problem+json"
        kind = next(it for it in KINDS if it.type == self.body["type"])
        assert (self.body["title"], self.body["status"]) == (kind.title, self.status)
        return {error["field"]: error["reason"] for error in self.body["errors"]}


@dataclass
class Api:
    world: World
    executions: FakeExecutions
    log: io.StringIO
    checks: FakeChecks
    access: FakeAccess
    clusters: FakeClusters
    sweeps: FakeSweeps

    def app(self, billing: Billing | None = None) -> APIGatewayHttpResolver:
        """The application over all of this."""
        clock = self.world.clock
        sagas = Sagas(self.world.ledger, self.executions, clock, clock.advance)
        return make_app(
            lambda: sagas,
            lambda: self.checks,
            lambda: self.access,
            lambda: self.clusters,
            lambda: self.sweeps,
            clock,
            billing,
        )

    def call(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        caller: str | None = CALLER,
    ) -> Answer:
        """One request through the Lambda handler; bytes arrive in base64, as API Gateway sends what is not text."""
        path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        event = _event(method, path, query, headers or {}, caller)
        if body is not None:
            event["isBase64Encoded"] = isinstance(body, bytes)
            event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
        answer = api.handler(event, CONTEXT)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"] or "null"))

    def submit(self, document: Any, key: str | None = "key-1", caller: str = CALLER, **headers: str) -> Answer:
        """Submit a document as JSON, or text as it is."""
        body = document if isinstance(document, str | bytes) else json.dumps(document)
        sent = {"content-type": "application/json", **({"idempotency-key": key} if key is not None else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/sagas", body, sent, caller)

    @property
    def started_nothing(self) -> bool:
        """Whether no saga was opened and no execution started."""
        return not self.executions.provisioning and not self.world.ledger.sagas(None, 100, None)


CONTEXT: Any = SimpleNamespace(
    aws_request_id="request-1",
    function_name="api",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:api",
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Api:
    world, executions, log = make_world(), FakeExecutions(), io.StringIO()
    world.caller = CALLER
    clusters, sweeps = FakeClusters(world.ledger), FakeSweeps(world.clock)
    calls = Api(world, executions, log, FakeChecks(), FakeAccess(), clusters, sweeps)
    monkeypatch.setattr(api, "_app", calls.app())
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    return calls


def _event(
    method: str, path: str, query: dict[str, str], headers: dict[str, str], caller: str | None
) -> dict[str, Any]:
    saga_id = path.split("/")[2] if path.count("/") > 1 else None
    return {
        "version": "2.0",
        "routeKey": f"{method} {path.replace(saga_id, '{id}') if saga_id else path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        **({"queryStringParameters": query} if query else {}),
        **({"pathParameters": {"id": saga_id}} if saga_id else {}),
        "requestContext": {
            "http": {"method": method, "path": path},
            "stage": "$default",
            "requestId": "request-1",
            **({"authorizer": {"iam": {"userArn": caller}}} if caller else {}),
        },
        "isBase64Encoded": False,
    }
