"""Whatever is delivered at least once arrives again, at once and late: it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.redelivery import Redelivery
from local.simulators.faults import Fault, FaultKind
from tests.e2e.conftest import Deployment, state_machine
from tests.outages.sagas import COMMITTED, GONE, RELEASED, Sagas

LATE = 2.0
STEPS = ("skysaga-saga", "skysaga-*-*")


@pytest.fixture
def redelivery(deployment: Deployment) -> Iterator[Redelivery]:
    """Starts, status events and firings arrive three times, a third of all steps twice or late as well."""
    machine = deployment.machine
    before = machine.redelivery.count
    machine.redelivery.late = LATE
    machine.invocation_faults.arm(
        Fault(operation=steps, fault=fault, times=None, probability=probability, delay=LATE)
        for steps in STEPS
        for fault, probability in ((FaultKind.TWICE, 0.25), (FaultKind.LATE, 0.1))
    )
    yield machine.redelivery
    machine.redelivery.late = None
    machine.redelivery.count = before
    machine.invocation_faults.disarm()


def test_starts_events_firings_and_steps_that_arrive_again_do_nothing_again(
    deployment: Deployment, stepfunctions: Any, redelivery: Redelivery
) -> None:
    sagas = Sagas(deployment.machine, deployment.endpoints, on=("aws",))
    stopped = sagas.submit(GONE)
    sagas.submit(GONE, ttl="8s")
    sagas.submit(RELEASED)
    sagas.submit(COMMITTED)
    while sagas.status(stopped) == "PENDING":
        time.sleep(0.05)
    time.sleep(1)
    provisioning = state_machine(stepfunctions, "skysaga-provisioning").replace(":stateMachine:", ":execution:")
    stepfunctions.stop_execution(executionArn=f"{provisioning}:{stopped}")

    sagas.wait()
    time.sleep(LATE + 1)  # whatever is late arrives at sagas that have ended

    judged = sagas.judged()
    assert [it for it in judged if it.violations] == []
    assert {it.wanted: it.status for it in judged if it.wanted != GONE} == {RELEASED: RELEASED, COMMITTED: COMMITTED}
    submitted, destroyed, rescued, expired = 4, 1, 1, 1
    assert redelivery.count >= 2 * (submitted + destroyed + rescued + expired)
    sagas.remove_all()
    assert deployment.held() == []
