"""`skysaga get`: a saga, its resources, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from cli.__main__ import main
from local.http_server import serve

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}

WEB = {
    "id": "web",
    "provider": "aws",
    "kind": "instance",
    "status": "READY",
    "cloud_id": "i-0abc",
    "error": None,
    "ready_at": "2026-11-26T09:00:00.000Z",
}
SAGA: dict[str, Any] = {"id": "s0abc", "name": "[checkout]", "status": "COMMITTED", "resources": [WEB]}
COST = {"billed": "12.5", "effective": "11", "currency": "EUR", "through": "2026-11-26T08:00:00.000Z"}


@pytest.fixture
def answers() -> Iterator[dict[str, Any]]:
    """What the API answers; its address is in it as `url`."""
    document: dict[str, Any] = {}

    @Request.application
    def app(request: Request) -> Response:
        assert request.path == "/sagas/s0abc"
        return Response(json.dumps(document["saga"]), content_type="application/json")

    with serve(app, name="stub") as server:
        document["url"] = server.url
        yield document


def got(answers: dict[str, Any], saga: dict[str, Any], *options: str) -> Result:
    answers["saga"] = saga
    return CliRunner(env=KEYS).invoke(main, ["get", "s0abc", "--endpoint", answers["url"], *options])


def test_a_saga_is_shown_with_its_resources_and_its_cost_in_each_currency(answers: dict[str, Any]) -> None:
    result = got(answers, {**SAGA, "cost": [COST, {**COST, "currency": "USD", "billed": "3"}]})
    assert result.exit_code == 0
    assert "s0abc  [checkout]  COMMITTED" in result.output
    assert "i-0abc" in result.output
    assert "cost  12.5 EUR billed, 11 effective, through 2026-11-26T08:00:00.000Z" in result.output
    assert "cost  3 USD billed" in result.output


def test_a_late_source_is_named_beside_the_cost(answers: dict[str, Any]) -> None:
    freshness = {"window": "2026-11-26T09", "late_sources": ["azure-prod"]}
    assert "late: azure-prod" in got(answers, {**SAGA, "cost": [COST], "cost_freshness": freshness}).output


def test_a_cost_that_is_not_known_is_not_nothing(answers: dict[str, Any]) -> None:
    assert "nothing is known yet" in got(answers, SAGA).output


def test_programs_get_the_document_of_the_api(answers: dict[str, Any]) -> None:
    assert json.loads(got(answers, SAGA, "-o", "json").stdout) == SAGA
