"""How far the executions stay from Step Functions' limits: 256 KiB in a payload, 25,000 events in a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pytest

from infra.billing import MOST_SOURCES
from lambdas.core.billing.planning import MOST_READS
from lambdas.core.division import IN_A_BATCH, batches_of
from lambdas.core.request import MAX_MACHINES, MAX_RESOURCES
from lambdas.core.steps.collecting import MOST_WAITS, CollectionStatus
from lambdas.core.steps.results import Next
from tests.statemachines.conftest import Collections, Sagas
from tests.statemachines.scripted_billing import COLLECTOR, Failed, ScriptedBilling, collected
from tests.statemachines.scripted_lambda import Result
from tests.statemachines.scripted_saga import ScriptedSaga, step

EVENTS_LIMIT: Final = 25_000
PAYLOAD_LIMIT: Final = 256 * 1024
LONGEST_ID: Final = 30  # of a resource: lambdas.core.specs.base.ResourceId
LONGEST_SOURCE: Final = 40  # infra.targets.Name
ARN_PREFIX: Final = "arn:aws:lambda:ap-southeast-2:123456789012:function:"


def largest_saga(sagas: Sagas) -> ScriptedSaga:
    """As many resources as a request may name, all in one wave; what its batches do is none of its own affairs."""
    saga = sagas.of([f"r{index}-azure" for index in range(MAX_RESOURCES)])
    for batch in range(batches_of(MAX_RESOURCES)):
        saga.on(f"list 0/{batch}", Result({"resources": []}))
    return saga


def fullest_batch(sagas: Sagas) -> ScriptedSaga:
    """As many resources as a batch has, and as many machines as there may be, with the longest names and ARNs."""
    ids = [f"r{index}".ljust(LONGEST_ID - len("-azure"), "x") + "-azure" for index in range(IN_A_BATCH)]
    machines = [f"r{index}".ljust(LONGEST_ID - len("-vsphere"), "x") + "-vsphere" for index in range(MAX_MACHINES)]
    return sagas.of([*ids, *machines], arn_prefix=ARN_PREFIX, version=":12345")


def largest_collection(collections: Collections) -> ScriptedBilling:
    """As many sources as may be declared, with the longest names, read by a versioned ARN."""
    names = [f"s{index}".ljust(LONGEST_SOURCE, "x") for index in range(MOST_SOURCES)]
    return collections.of(*names, collector=f"{ARN_PREFIX}{COLLECTOR}:12345")


def biggest_payload(events: Iterable[Mapping[str, Any]]) -> int:
    """The bytes of the longest text that any event carries as input, output, parameters or cause."""
    details = (value for event in events for value in event.values() if isinstance(value, dict))
    texts = (text for detail in details for text in detail.values() if isinstance(text, str))
    return max(len(text.encode()) for text in texts)


# What a state is handed follows from the definition, so one engine tells.
@pytest.mark.parametrize("engine", ["ours"], indirect=True)
@pytest.mark.parametrize("machine", ["provision", "release"])
@pytest.mark.parametrize("make", [largest_saga, fullest_batch])
def test_no_saga_comes_near_the_limits_of_payloads_and_histories(
    sagas: Sagas, make: Callable[[Sagas], ScriptedSaga], machine: str
) -> None:
    saga = make(sagas)

    execution = sagas.provision(saga) if machine == "provision" else sagas.release(saga)
    ended, history = execution.end(), execution.history()

    assert ended["status"] == "SUCCEEDED"
    assert 10_000 < biggest_payload(history) < PAYLOAD_LIMIT / 4
    assert len(history) < EVENTS_LIMIT / 10


def test_resources_in_a_batch_cost_the_sagas_execution_no_events_however_often_they_are_looked_at(sagas: Sagas) -> None:
    one, three, patient = sagas.of(["a-aws"]), sagas.of(["a-aws", "b-aws", "c-aws"]), sagas.of(["a-aws"])
    patient.on("observe a-aws", *[step(Next.WAIT)] * 10, step(Next.DONE))

    of_one, of_three, of_patient = events_of(sagas, one, three, patient)

    assert of_one == of_three == of_patient <= 50


def test_a_machine_costs_a_bounded_number_of_events_and_each_look_at_it_a_few(sagas: Sagas) -> None:
    one, three, patient = (
        sagas.of(["a-vsphere"]),
        sagas.of(["a-vsphere", "b-vsphere", "c-vsphere"]),
        sagas.of(["a-vsphere"]),
    )
    patient.on("observe a-vsphere", *[step(Next.WAIT)] * 10, step(Next.DONE))

    of_one, of_three, of_patient = events_of(sagas, one, three, patient)

    assert of_three - of_one <= 2 * 25
    assert of_patient - of_one <= 10 * 10


def events_of(sagas: Sagas, *scripted: ScriptedSaga) -> list[int]:
    """How many events it takes to provision each of them."""
    executions = [sagas.provision(saga) for saga in scripted]
    for execution in executions:
        execution.end()
    return [len(execution.history()) for execution in executions]


@pytest.mark.parametrize("engine", ["ours"], indirect=True)
def test_the_largest_collection_stays_below_a_quarter_of_the_payload_limit(collections: Collections) -> None:
    billing = largest_collection(collections)
    for name in billing.sources:
        billing.on(f"collect {name}", Failed("TerminalError", "x" * 32_768))

    execution = collections.run(billing)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert 1_000 < biggest_payload(execution.history()) < PAYLOAD_LIMIT / 4


@pytest.mark.parametrize("engine", ["ours"], indirect=True)
def test_the_busiest_collection_leaves_a_third_of_the_events_for_retries(
    collections: Collections,
) -> None:
    of_one, of_two = (events_of_the_busiest(collections, *names) for names in (["shop"], ["shop", "bank"]))

    each = of_two - of_one
    assert of_one + (MOST_SOURCES - 1) * each < EVENTS_LIMIT * 2 / 3


def events_of_the_busiest(collections: Collections, *sources: str) -> int:
    """The events of a collection whose sources are read, and waited for, as often as one execution does."""
    billing = collections.of(*sources)
    waits, reads = [collected(CollectionStatus.PENDING, 60)] * MOST_WAITS, [collected(CollectionStatus.STAGED)]
    for name in sources:
        billing.on(f"collect {name}", *waits, *reads * MOST_READS, collected(CollectionStatus.DONE))
    execution = collections.run(billing)
    assert execution.end()["status"] == "SUCCEEDED"
    return len(execution.history())
