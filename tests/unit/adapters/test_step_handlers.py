"""A provider's Lambda handlers: payload in, identifiers out, and what they log on the way."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.adapters.observability import Broke
from lambdas.adapters.settings import MissingSettings
from lambdas.adapters.steps import ProviderHandlers, Surroundings, deployed, provider_handlers
from lambdas.core.errors import IllegalTransition, RetryableError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.states import ResourceStatus
from lambdas.core.targets import AzureTarget
from tests.fakes.documents import SSH_KEY, azure_instance
from tests.fakes.provider import Fault
from tests.unit.core.world import POLICY, World, make_world

Lines = Callable[[], list[dict[str, Any]]]
WEB = "web-azure"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def handlers(world: World) -> ProviderHandlers:
    return provider_handlers(lambda: world.cloud, lambda: Surroundings(world.ledger, world.clock, POLICY))


@pytest.fixture
def payload(world: World) -> dict[str, str]:
    return {"saga_id": world.provisioning_saga(azure_instance()), "resource_id": WEB}


def test_a_resource_goes_from_planned_to_ready_to_absent_through_the_handlers(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any
) -> None:
    world.cloud.seconds_to_ready = 2
    for _ in world.cloud.part_names:
        assert handlers.create(payload, context) == {"next": "WAIT", "delay": 2}
        world.clock.advance(2)
        result = handlers.observe({**payload, "goal": "READY"}, context)
    assert result == {"next": "DONE", "delay": 0}
    assert world.status(payload["saga_id"], WEB) is ResourceStatus.READY
    world.compensate(payload["saga_id"])
    assert handlers.delete(payload, context) == {"next": "WAIT", "delay": 2}
    world.cloud.settling_seconds = 0
    assert handlers.observe({**payload, "goal": "ABSENT"}, context) == {"next": "DONE", "delay": 0}
    assert world.status(payload["saga_id"], WEB) is ResourceStatus.ABSENT


def plan_payload() -> dict[str, Any]:
    return {"cloud": "azure", "resources": [azure_instance()]}


def test_a_check_for_a_plan_tells_what_things_cost(world: World, context: Any) -> None:
    class Prices:
        def prices(self, intents: Sequence[Intent]) -> list[Price]:
            return [
                Price(resource=it.resource_id, hourly=Decimal("0.01"), currency="USD", basis="a list") for it in intents
            ]

    handlers = provider_handlers(lambda: world.cloud, lambda: Surroundings(world.ledger, world.clock, POLICY), Prices)

    answer = handlers.check(plan_payload(), context)

    assert answer is not None
    assert answer["prices"] == [{"resource": WEB, "hourly": "0.01", "currency": "USD", "basis": "a list"}]


def test_a_check_for_a_plan_is_made_in_the_targets_that_are_named(world: World, context: Any) -> None:
    asked: list[Intent] = []

    class Cloud:
        def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
            asked.extend(intents)
            return []

    cloud: Any = Cloud()
    handlers = provider_handlers(lambda: cloud, lambda: Surroundings(world.ledger, world.clock, POLICY))
    payments = AzureTarget(name="payments", subscription_id="s-1")
    resources = [azure_instance("there", target="payments"), azure_instance("here")]
    payload = {
        "cloud": "azure",
        "resources": resources,
        "named_targets": {"payments": payments.model_dump(mode="json")},
    }

    assert handlers.check(payload, context) == {"shortages": []}
    assert {it.resource_id: it.target for it in asked} == {"there": payments, "here": None}


def test_a_plan_does_not_fail_for_want_of_prices(world: World, context: Any) -> None:
    class Prices:
        def prices(self, intents: Sequence[Intent]) -> list[Price]:
            raise RetryableError("Throttling", "slow down")

    handlers = provider_handlers(lambda: world.cloud, lambda: Surroundings(world.ledger, world.clock, POLICY), Prices)

    assert handlers.check(plan_payload(), context) == {"shortages": [], "unpriced": "Throttling: slow down"}


def test_nobody_tells_prices_where_nobody_knows_them(handlers: ProviderHandlers, context: Any) -> None:
    assert handlers.check(plan_payload(), context) == {"shortages": []}


def test_what_a_handler_returns_is_json(handlers: ProviderHandlers, payload: dict[str, str], context: Any) -> None:
    assert json.loads(json.dumps(handlers.create(payload, context))) == {"next": "WAIT", "delay": 2}


def test_the_provider_is_made_at_the_first_call_and_once(world: World, context: Any) -> None:
    made: list[World] = []

    def make() -> Any:
        made.append(world)
        return world.cloud

    handlers = provider_handlers(make, lambda: Surroundings(world.ledger, world.clock, POLICY))
    assert made == []
    payload = {"saga_id": world.provisioning_saga(azure_instance()), "resource_id": WEB}
    handlers.create(payload, context)
    handlers.delete(payload, context)
    assert made == [world]


@pytest.mark.parametrize(
    "change", [{"saga_id": None}, {"resource_id": 7}, {"goal": "GONE"}, {"spec": {}}, {"saga_id": ...}]
)
def test_a_payload_that_is_not_the_state_machines_is_refused_before_anything_is_done(
    world: World, handlers: ProviderHandlers, payload: dict[str, Any], context: Any, change: dict[str, Any]
) -> None:
    wrong = {key: value for key, value in {**payload, "goal": "READY", **change}.items() if value is not ...}
    with pytest.raises(Broke, match=r"^(saga_id|resource_id|goal|spec): [a-z_]+$") as refused:
        handlers.observe(wrong, context)
    assert type(refused.value).__name__ == "ValidationError"
    assert world.cloud.calls == []


def test_every_log_line_is_json_and_carries_the_saga_as_correlation_id(
    handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_lines: Lines
) -> None:
    handlers.create(payload, context)
    handlers.observe({**payload, "goal": "READY"}, context)
    handlers.delete(payload, context)
    lines = log_lines()
    assert [line["step"] for line in lines] == ["create", "observe", "delete"]
    assert {line["correlation_id"] for line in lines} == {payload["saga_id"]}
    assert {line["resource_id"] for line in lines} == {WEB}
    assert lines[0]["result"] == {"next": "WAIT", "delay": 2}


def test_the_next_call_of_a_warm_function_carries_nothing_of_the_one_before(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_lines: Lines
) -> None:
    handlers.create(payload, context)
    other = world.provisioning_saga(azure_instance("other"))
    handlers.create({"saga_id": other, "resource_id": "other"}, context)
    assert (log_lines()[-1]["correlation_id"], log_lines()[-1]["resource_id"]) == (other, "other")


def test_a_step_that_fails_logs_its_error_and_the_clouds_code_and_raises_it(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_lines: Lines
) -> None:
    world.cloud.faults = [Fault("create", before=TerminalError("SkuNotAvailable", "not here"))]
    with pytest.raises(TerminalError):
        handlers.create(payload, context)
    line = log_lines()[-1]
    assert (line["level"], line["error"], line["reason"]) == (
        "WARNING",
        "TerminalError",
        "SkuNotAvailable: not here",
    )


def test_a_step_that_breaks_logs_only_what_broke(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_lines: Lines
) -> None:
    world.cloud.faults = [Fault("create", before=IllegalTransition(f"with {SSH_KEY}"))]
    with pytest.raises(Broke) as broke:
        handlers.create(payload, context)
    line = log_lines()[-1]
    assert (line["level"], line["error"]) == ("ERROR", "IllegalTransition")
    assert any(it.startswith("core/steps/provisioning.py:") and it.endswith(" create") for it in line["where"])
    assert type(broke.value).__name__ == "IllegalTransition"
    assert "SECRETMATERIAL" not in str(broke.value)
    assert (broke.value.__cause__, broke.value.__suppress_context__) == (None, True)


def test_what_a_cloud_quotes_of_a_private_value_is_left_out_of_what_is_raised_and_logged(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_text: io.StringIO
) -> None:
    key = SSH_KEY.split()[1]
    quoting = TerminalError("InvalidParameter", f"'{SSH_KEY}' is no key; {key} neither; ask ops@example.com")
    world.cloud.faults = [Fault("create", before=quoting)]
    with pytest.raises(TerminalError) as raised:
        handlers.create(payload, context)
    assert str(raised.value) == "InvalidParameter: '(private)' is no key; (private) neither; ask ops@example.com"
    assert raised.value.code == "InvalidParameter"
    assert "SECRETMATERIAL" not in log_text.getvalue()
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)


def test_a_shortage_quotes_no_private_value(world: World, handlers: ProviderHandlers, context: Any) -> None:
    refusal = Shortage(resources=(WEB,), location="westeurope", code="Invalid", message=f"Invalid: {SSH_KEY}")
    world.cloud.short = [refusal]
    answer: Any = handlers.check({"cloud": "azure", "resources": [azure_instance()]}, context)
    assert [it["message"] for it in answer["shortages"]] == ["Invalid: (private)"]


@pytest.mark.parametrize(
    "sdk", ["botocore.endpoint", "azure.core.pipeline", "google.auth.transport", "urllib3", "msal"]
)
def test_no_log_level_makes_an_sdk_write_requests(sdk: str) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        assert not logging.getLogger(sdk).isEnabledFor(logging.INFO)
    finally:
        logging.getLogger().setLevel(logging.WARNING)


def test_neither_payloads_nor_keys_are_logged(
    world: World, handlers: ProviderHandlers, payload: dict[str, str], context: Any, log_text: io.StringIO
) -> None:
    handlers.create(payload, context)
    for error, raised in ((TerminalError("Code", "no"), TerminalError), (IllegalTransition(f"with {SSH_KEY}"), Broke)):
        world.cloud.faults = [Fault("observe", before=error)]
        with pytest.raises(raised):
            handlers.observe({**payload, "goal": "READY"}, context)
    with pytest.raises(Broke) as refused:
        handlers.create({**payload, "password": "SECRETMATERIAL"}, context)
    assert "SECRETMATERIAL" not in log_text.getvalue()
    assert "SECRETMATERIAL" not in str(refused.value)
    assert "Canonical" not in log_text.getvalue()


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
def test_every_call_is_counted_by_step(
    world: World,
    handlers: ProviderHandlers,
    payload: dict[str, str],
    context: Any,
    capsys: pytest.CaptureFixture[str],
    fails: bool,
) -> None:
    if fails:
        world.cloud.faults = [Fault("create", before=TerminalError("Code", "no"))]
        with pytest.raises(TerminalError):
            handlers.create(payload, context)
    else:
        handlers.create(payload, context)
    counted = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert counted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "skysaga"
    assert (counted["step"], counted.get("error")) == ("create", "TerminalError" if fails else None)
    assert counted["StepsFailed" if fails else "StepsDone"] == [1.0]


def test_a_record_that_cannot_be_read_does_not_put_its_contents_into_the_error(world: World) -> None:
    saga_id = world.open(azure_instance())
    resource = world.resource(saga_id, WEB)
    with pytest.raises(ValidationError) as refused:
        type(resource).model_validate_json(resource.model_dump_json().replace('"PLANNED"', '"NO"'))
    assert "SECRETMATERIAL" not in str(refused.value)


def test_deployed_functions_work_with_what_their_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYSAGA_CREATE_TIMEOUT", "90")
    assert deployed().policy.create_timeout == 90
    monkeypatch.delenv("LEDGER_TABLE")
    with pytest.raises(MissingSettings, match="LEDGER_TABLE"):
        deployed()
