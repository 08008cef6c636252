"""The API does what its OpenAPI document says: schemathesis asks all that it allows, and much that it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from lambdas.api import handler as api
from lambdas.api.costs import Billing
from lambdas.core.access import Grant
from lambdas.core.billing.questions import Question
from lambdas.core.costs import Costs
from lambdas.core.ports.cost_query import Amounts, Answer, CostLine
from lambdas.core.ports.sweeps import SweepStatus
from local.http_server import serve
from tests.fakes.costs import FakeSagaCosts, FakeSources, collect, cost_explorer
from tests.fakes.reports import cluster_settings, survey
from tests.fakes.windows import FakeWindows
from tests.unit.api.conftest import CALLER, Api
from tests.unit.api.front import SIGNATURE, front
from tests.unit.api.test_routes import needing_attention
from tests.unit.api.test_sweeps import FOUND

EXAMPLES: Final = 6
SEED: Final = 8

RELATED: Final = ("POST /sagas", "POST /plans", "GET /costs", "GET /sagas/{id}/events")

USUALLY_RIGHT: Final = ("2xx", "3xx", 401, 403, 404, 409, 429, "5xx")
"""Schemathesis's own list of what a call may be answered that fits the document; a 5xx is another check's to find."""


class AnyCosts:
    """Has one line for whatever is asked, in as many groups."""

    def answer(self, question: Question, version: str, start: int, most: int) -> Answer:
        """One line, and never more."""
        amount = Decimal("1.50")
        keys = tuple("something" for _ in question.groups)
        return Answer([CostLine(keys, "USD", Amounts(amount, amount, amount, None))], more=False)


@pytest.fixture(name="known")
def _known(calls: Api, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What there is to be asked about, by the path before its name."""
    world = calls.world
    calls.access.grants = [Grant(callers=[CALLER], clusters="drain", costs="all", sweeps="run", targets=["*/*"])]
    calls.clusters.report(cluster_settings("berlin-1"), survey(world.clock.now() - timedelta(seconds=40)))
    windows, source = FakeWindows(), cost_explorer()
    collect(windows, source, datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2026, 11, 22, 11, 30, tzinfo=UTC))
    costs = Costs(AnyCosts(), windows, FakeSources({"payments": source}), world.clock)
    monkeypatch.setattr(api, "_app", calls.app(Billing(lambda: costs, FakeSagaCosts)))
    for name in ("sweep-1", "sweep-2"):
        calls.sweeps.start(name, dry_run=True)
    calls.sweeps.end("sweep-2", SweepStatus.INCOMPLETE, world.clock.now(), FOUND)
    sagas = [world.provisioning_saga(), world.committed_saga(), world.awaiting_approval(), needing_attention(world)]
    return {"/sagas/{id}": sagas, "/clusters/{name}": ["berlin-1"], "/sweeps/{id}": ["sweep-1", "sweep-2"]}


def test_every_operation_answers_as_the_document_says(known: dict[str, list[str]]) -> None:
    failures: list[str] = []
    asked = 0
    with serve(front, port=0, name="front") as server:
        document = requests.get(f"{server.url}/openapi.json", timeout=10).json()
        schema = schemathesis.openapi.from_dict(_shortened(document), config=_config(server.url))
        schema.hooks.hook(_pointing_at(known))
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError | events.FatalError):
                failures.append(f"could not be asked: {event}")
            if isinstance(event, events.ScenarioFinished):
                asked += len(event.recorder.cases)
                failures += _failures(event)
    assert list(dict.fromkeys(failures)) == []
    assert asked > 500, "it was hardly asked anything"


def _shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Without what would be asked for a thousand times and tells nothing new.

    Each region and zone would be, and each request in either form: it is read by the same code for both operations.
    """
    schemas = document["components"]["schemas"]
    for name in ("AwsRegion", "AzureRegion", "GcpZone"):
        schemas[name]["enum"] = schemas[name]["enum"][:2]
    del document["paths"]["/sagas"]["post"]["requestBody"]["content"]["application/yaml"]
    del document["paths"]["/plans"]["post"]["requestBody"]["content"]["application/json"]
    return document


def _config(url: str) -> SchemathesisConfig:
    # 412: to have been given a tag is no matter of its form
    checks = {"positive_data_acceptance": {"expected-statuses": [*USUALLY_RIGHT, 412]}}
    # 422: what lies between two resources or two days, or between a cursor and its saga, no schema can say
    related = {"checks": {"positive_data_acceptance": {"expected-statuses": [*USUALLY_RIGHT, 422]}}}
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": url,
            "headers": {"Authorization": SIGNATURE},
            "generation": {"max-examples": EXAMPLES, "no-shrink": True, "deterministic": True},
            "checks": checks,
            "operations": [{"include-name": name, **related} for name in RELATED],
        }
    )


def _pointing_at(known: dict[str, list[str]]) -> Any:
    turn = 0

    def map_case(context: Any, case: Any) -> Any:
        """Ask about what there is, three times of four."""
        nonlocal turn
        turn += 1
        for beginning, names in known.items():
            if case.operation.path.startswith(beginning) and _is_meant_to_be_right(case) and turn % 4:
                case.path_parameters = dict.fromkeys(case.path_parameters, names[turn % len(names)])
        return case

    return map_case


def _is_meant_to_be_right(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE


def _failures(event: events.ScenarioFinished) -> list[str]:
    found = []
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                case = event.recorder.cases[case_id].value
                found.append(
                    f"{event.phase.value}: {case.as_curl_command()}\n{check.name}: {check.failure_info.failure}"
                )
    return found
