"""What the billing machine makes of a collection of costs, on every engine there is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.adapters.collecting import CollectPayload
from lambdas.billing.payloads import PAYLOAD, NoteFailure, PublishPayload
from lambdas.core.steps.collecting import CollectionStatus
from lambdas.core.steps.summarising import SummaryStatus
from tests.statemachines.conftest import Collections
from tests.statemachines.engines import EngineUnderTest, Execution
from tests.statemachines.scripted_billing import Failed, ScriptedBilling, collected, summed_up
from tests.statemachines.scripted_lambda import Answer, FunctionError, Refusal
from tests.statemachines.scripted_saga import retryable, terminal

SHORT = 2
"""Seconds; on some engines they really pass."""


def said_of(ended: dict[str, Any]) -> dict[str, Any]:
    """What the output of a collection says of each source."""
    return {it.pop("source"): it for it in json.loads(ended["output"])["collected"]}


def noted_of(billing: ScriptedBilling, source: str) -> NoteFailure:
    """What was sent to be noted of a source, as the function that notes it understands it."""
    (payload,) = billing.log.payloads[f"note {source}"]
    assert payload["cause"] is not None
    noted = PAYLOAD.validate_python(dict(payload))
    assert isinstance(noted, NoteFailure)
    assert (noted.window, noted.source) == (billing.window, source)
    return noted


def failed_by(collections: Collections, call: str, *answers: Answer | Failed) -> tuple[ScriptedBilling, Execution]:
    """A collection from a shop and a bank, in which one call comes to this."""
    billing = collections.of("shop", "bank")
    billing.on(call, *answers)
    return billing, collections.run(billing)


def test_every_source_is_read_by_its_collector_and_then_costs_are_summed_up(collections: Collections) -> None:
    billing = collections.of("shop", "bank")

    execution = collections.run(billing)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert said_of(ended) == {"shop": {"collected": True}, "bank": {"collected": True}}
    assert billing.log.calls[0] == "plan"
    assert sorted(billing.log.calls[1:-1]) == ["collect bank", "collect shop"]
    assert billing.log.calls[-1] == "summarise"
    assert execution.path()[-2:] == ["IsSummarised", "Collected"]


def test_a_collector_is_sent_what_it_understands(collections: Collections) -> None:
    billing = collections.of("shop")

    execution = collections.run(billing)
    ended = execution.end()

    (payload,) = billing.log.payloads["collect shop"]
    understood = CollectPayload.model_validate(dict(payload))
    assert (understood.source, understood.window) == ("shop", billing.window)
    assert understood.token
    assert abs((understood.started_at - ended["startDate"]).total_seconds()) < 1


def test_with_no_sources_there_is_nothing_to_collect(collections: Collections) -> None:
    billing = collections.of()

    ended = collections.run(billing).end()

    assert ended["status"] == "SUCCEEDED"
    assert billing.log.calls == ["plan", "summarise"]


def test_a_complete_read_is_published_before_the_source_is_read_on(collections: Collections) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", *[collected(CollectionStatus.STAGED)] * 2, collected(CollectionStatus.DONE))

    ended = collections.run(billing).end()

    read_twice = ["collect shop", "publish shop"] * 2
    assert billing.log.calls == ["plan", *read_twice, "collect shop", "summarise"]
    assert [PublishPayload.model_validate(dict(it)) for it in billing.log.payloads["publish shop"]] == [
        PublishPayload(source="shop", window=billing.window)
    ] * 2
    assert said_of(ended) == {"shop": {"collected": True}}


def test_a_source_that_asks_for_time_gets_it_and_is_asked_again(
    collections: Collections, engine: EngineUnderTest
) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", collected(CollectionStatus.PENDING, SHORT), collected(CollectionStatus.DONE))

    execution = collections.run(billing)
    ended = execution.end()

    assert billing.log.calls == ["plan", "collect shop", "collect shop", "summarise"]
    (waited,) = execution.seconds_in("WaitForSource")
    assert waited >= engine.shortest(SHORT)
    assert said_of(ended) == {"shop": {"collected": True}}


@pytest.mark.parametrize(
    "answer",
    [
        FunctionError("Runtime.ExitError", "the collector died"),
        FunctionError("Sandbox.Timedout", "it took too long"),
        Refusal("TooManyRequestsException", 429),
        Failed("RetryableError", "the source was unavailable"),
    ],
)
def test_a_collector_that_is_killed_or_fails_in_passing_is_replaced(
    collections: Collections, answer: Answer | Failed
) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", answer, collected(CollectionStatus.DONE))

    ended = collections.run(billing).end()

    first, second = billing.log.payloads["collect shop"]
    assert first["started_at"] == second["started_at"], "it carries on until the same moment"
    assert said_of(ended) == {"shop": {"collected": True}}


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        ("collect shop", Failed("TerminalError", "AccessDenied: the role may not")),
        ("collect shop", terminal("it could not even begin")),
        ("publish shop", terminal("BadRows: a row has no currency")),
    ],
)
def test_a_source_that_fails_is_noted_and_holds_up_no_other(
    collections: Collections, call: str, failure: Answer | Failed
) -> None:
    billing = collections.of("shop", "bank")
    billing.on("collect shop", collected(CollectionStatus.STAGED))
    billing.on("collect bank", collected(CollectionStatus.STAGED), collected(CollectionStatus.DONE))
    billing.on(call, failure)

    ended = collections.run(billing).end()

    assert ended["status"] == "SUCCEEDED"
    assert said_of(ended) == {"shop": {"collected": False, "error": "TerminalError"}, "bank": {"collected": True}}
    assert billing.log.about("bank") == ["collect", "publish", "collect"]
    assert billing.log.about("shop")[-2:] == [call.partition(" ")[0], "note"]
    assert billing.log.calls[-1] == "summarise"


@pytest.mark.parametrize("call", ["collect shop", "publish shop"])
def test_what_a_function_raised_is_what_is_noted(collections: Collections, call: str) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", collected(CollectionStatus.STAGED))
    billing.on(call, terminal("BadRows: a row has no currency"))

    collections.run(billing).end()

    noted = noted_of(billing, "shop")
    assert noted.error == "TerminalError"
    assert json.loads(noted.cause)["errorMessage"] == "BadRows: a row has no currency"


def test_what_a_collector_ended_its_task_with_is_what_is_noted(collections: Collections) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", Failed("TerminalError", "AccessDenied: the role may not"))

    collections.run(billing).end()

    noted = noted_of(billing, "shop")
    assert (noted.error, noted.cause) == ("TerminalError", "AccessDenied: the role may not")


def test_a_failure_that_cannot_be_noted_holds_up_nobody_either(collections: Collections) -> None:
    billing = collections.of("shop", "bank")
    billing.on("collect shop", Failed("TerminalError", "AccessDenied"))
    billing.on("note shop", terminal("no windows table"))

    ended = collections.run(billing).end()

    assert said_of(ended)["bank"] == {"collected": True}
    assert said_of(ended)["shop"]["collected"] is False
    assert billing.log.calls[-1] == "summarise"


@pytest.mark.parametrize("call", ["plan", "publish shop", "note shop", "summarise"])
def test_a_step_that_fails_in_passing_is_asked_again(collections: Collections, call: str) -> None:
    billing = collections.of("shop")
    going_wrong = Failed("TerminalError", "no") if call == "note shop" else collected(CollectionStatus.DONE)
    billing.on("collect shop", collected(CollectionStatus.STAGED), going_wrong)
    billing.on(call, retryable("throttled"), billing.when_all_goes_well(call))

    ended = collections.run(billing).end()

    assert billing.log.calls.count(call) == 2
    assert ended["status"] == "SUCCEEDED"


def test_the_summary_is_looked_for_until_it_is_written(collections: Collections, engine: EngineUnderTest) -> None:
    billing = collections.of("shop")
    billing.on("summarise", *[summed_up(SummaryStatus.PENDING, SHORT)] * 2, summed_up(SummaryStatus.DONE))

    execution = collections.run(billing)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert billing.log.calls.count("summarise") == 3
    waited = execution.seconds_in("WaitForQuery")
    assert len(waited) == 2
    assert min(waited) >= engine.shortest(SHORT)


def test_a_summary_that_fails_fails_the_collection_after_every_source_was_read(collections: Collections) -> None:
    billing, execution = failed_by(collections, "summarise", terminal("AccessDenied: no query"))

    ended = execution.end()

    assert (ended["status"], ended["error"]) == ("FAILED", "NotSummarised")
    assert sorted(billing.log.calls[:-1]) == ["collect bank", "collect shop", "plan"]
    assert execution.path().count("SourceCollected") == 2


def test_without_a_plan_nothing_is_collected(collections: Collections) -> None:
    billing, execution = failed_by(collections, "plan", terminal("Misconfigured: nothing collects from aws"))

    ended = execution.end()

    assert (ended["status"], ended["error"]) == ("FAILED", "NotCollected")
    assert billing.log.calls == ["plan"]
