"""What only an engine in virtual time can be held to exactly: seconds, backoffs and numbers of events."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest

from lambdas.core.steps.collecting import CollectionStatus
from lambdas.core.steps.results import Next
from tests.statemachines.conftest import Collections, Sagas
from tests.statemachines.engines import EngineUnderTest, Execution
from tests.statemachines.scripted_billing import Silent, collected
from tests.statemachines.scripted_saga import retryable, step, terminal

pytestmark = pytest.mark.parametrize("engine", ["ours"], indirect=True)


def seconds_between(execution: Execution, event_type: str) -> list[float]:
    """The time from each event of a type to the next."""
    moments = [event["timestamp"] for event in execution.history() if event["type"] == event_type]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


def test_a_wait_takes_the_seconds_that_the_step_returned(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("create web-aws", step(Next.WAIT, delay=10))
    saga.on("observe web-aws", step(Next.WAIT, delay=25), step(Next.WAIT, delay=0), step(Next.DONE))

    execution = sagas.provision(saga)
    ended = execution.end()

    assert (ended["stopDate"] - ended["startDate"]).total_seconds() == 35


def test_backoff_doubles_up_to_half_a_minute_with_full_jitter(sagas: Sagas) -> None:
    most = [1, 2, 4, 8, 16, 30, 30, 30]
    shares: list[float] = []
    for _ in range(10):
        saga = sagas.of(["web-aws"])
        saga.on("begin", retryable("throttled"))
        execution = sagas.provision(saga)
        execution.until_entered("CompensateSaga")
        waited = seconds_between(execution, "TaskScheduled")[: len(most)]
        shares += [wait / longest for wait, longest in zip(waited, most, strict=True)]

    assert all(0 <= share <= 1 for share in shares)
    assert len(set(shares)) > 1
    assert 0.3 < fmean(shares) < 0.7, "80 draws from 0 to 1, which is six standard deviations on either side"


def test_every_asking_for_approval_has_a_token_of_its_own_and_the_wait_is_as_long_as_the_step_said(
    sagas: Sagas,
) -> None:
    saga = sagas.of(["web-aws"])
    heard: list[str] = []
    saga.approver = heard.append
    saga.on("begin", saga.to_be_approved(-1, 3600))
    saga.on("ask", retryable("throttled"), saga.wave("", 0))
    saga.on("decide -1", saga.wave("COMPENSATE", 0))

    execution = sagas.provision(saga)
    execution.until_entered("CompensateSaga")

    assert len(heard) == len(set(heard)) == 2
    (waited,) = execution.seconds_in("AwaitApproval")
    assert 3600 <= waited <= 3601


def test_a_collector_that_does_not_beat_for_five_minutes_is_replaced(collections: Collections) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", Silent(), collected(CollectionStatus.DONE))

    execution = collections.run(billing)
    ended = execution.end()

    assert billing.log.calls == ["plan", "collect shop", "collect shop", "summarise"]
    assert ended["status"] == "SUCCEEDED"
    _, waited, _ = seconds_between(execution, "TaskScheduled")
    assert 300 <= waited <= 300 + 5


def test_every_collector_has_a_token_of_its_own(collections: Collections) -> None:
    billing = collections.of("shop")
    billing.on("collect shop", retryable("throttled"), collected(CollectionStatus.DONE))

    collections.run(billing).end()

    assert len({it["token"] for it in billing.log.payloads["collect shop"]}) == 2


def test_a_source_whose_collectors_never_beat_is_given_up_and_noted(collections: Collections) -> None:
    billing = collections.of("shop", "bank")
    billing.on("collect shop", Silent())

    execution = collections.run(billing)
    ended = execution.end()

    assert billing.log.about("shop") == ["collect"] * 9 + ["note"]
    (payload,) = billing.log.payloads["note shop"]
    assert (payload["error"], payload["cause"]) == ("States.Timeout", "")
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() < 3600, "the next hour's begins in time"
    assert billing.log.calls[-1] == "summarise"


def test_a_saga_of_three_resources_is_told_in_a_known_number_of_events(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-azure", "web-gcp"])

    provisioning = sagas.provision(saga)
    provisioning.end()
    release = sagas.release(saga)
    release.end()

    around = 30  # the Parallel with its two Maps, the step before and the one after it: what is in a batch is elsewhere
    assert len(provisioning.history()) == around + 2  # the Choice before the first wave
    assert len(release.history()) == around


def test_a_machine_is_told_in_a_known_number_of_events(sagas: Sagas) -> None:
    one, three = (sagas.of([f"m{number}-vsphere" for number in range(count)]) for count in (1, 3))
    histories = []
    for saga in (one, three):
        execution = sagas.provision(saga)
        execution.end()
        histories.append(len(execution.history()))

    assert histories[1] - histories[0] == 2 * 18  # an iteration with both its steps


def test_a_release_that_cannot_be_started_is_asked_for_sixty_times_and_then_told_of(
    sagas: Sagas, engine: EngineUnderTest
) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("begin", terminal("no ledger"))

    execution = sagas.provision(saga, engine.deploy_provisioning(f"{engine.release}-gone"))
    ended = execution.end()

    assert (ended["status"], ended["error"]) == ("FAILED", "CompensationNotStarted")
    attempts = [event for event in execution.history() if event["type"] == "TaskScheduled"]
    assert len(attempts) == 1 + 61
