"""What a batch does not finish in one execution, the next round does; what dies in one takes nothing else with it."""

from __future__ import annotations

from datetime import datetime

import pytest

from lambdas.core.steps.results import Next
from tests.statemachines.conftest import Sagas
from tests.statemachines.engines import EngineUnderTest
from tests.statemachines.scripted_saga import retryable, step

WAVE_OF_MANY = [f"r{number:02}-aws" for number in range(45)]


def test_what_its_round_has_no_time_left_for_is_left_to_the_join(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on("observe web-gcp", step(Next.LATER))
    saga.on("decide 0", saga.wave("COMPENSATE", 1))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-gcp") == ["create", "observe"]
    assert saga.provisioning.calls[-1] == "decide 0"


def test_another_round_begins_after_the_delay_and_goes_on_with_the_wave(sagas: Sagas, engine: EngineUnderTest) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("observe web-aws", step(Next.LATER), step(Next.DONE))
    saga.on("decide 0", saga.another_round(0, delay=10), saga.wave("COMMITTED", 1))

    execution = sagas.provision(saga)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert saga.provisioning.about("web-aws") == ["create", "observe", "create", "observe"]
    (waited,) = execution.seconds_in("AwaitNextRound")
    assert waited >= engine.shortest(10)


def test_a_release_goes_on_in_another_round_too(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("confirm web-aws", step(Next.LATER), step(Next.DONE))
    saga.on("conclude 0", saga.another_round(0, delay=1), saga.wave("ROLLED_BACK", -1))

    assert sagas.release(saga).end()["status"] == "SUCCEEDED"

    assert saga.release.about("web-aws") == ["delete", "confirm", "delete", "confirm"]


@pytest.mark.parametrize("step_name", ["delete", "confirm"])
def test_what_goes_on_failing_in_passing_is_left_to_the_next_round_and_not_taken_for_stuck(
    sagas: Sagas, step_name: str
) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on(f"{step_name} web-gcp", retryable("the cloud is down"))

    assert sagas.release(saga).end()["status"] == "SUCCEEDED"

    assert "stick web-gcp" not in saga.release.calls
    assert saga.release.about("web-gcp").count(step_name) == 9
    assert saga.release.about("web-aws") == ["delete", "confirm"]


def test_every_step_of_a_batch_is_told_when_its_round_began(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])

    sagas.provision(saga).end()

    told = [it for call, payloads in saga.provisioning.payloads.items() if "web-" in call for it in payloads]
    assert len(told) == 4
    began = {datetime.fromisoformat(it["round_began"]) for it in told}
    assert all(it.tzinfo for it in began)


def test_a_wave_of_several_batches_is_joined_when_all_of_them_have_ended(sagas: Sagas) -> None:
    saga = sagas.of(WAVE_OF_MANY)

    assert sagas.provision(saga).end()["status"] == "SUCCEEDED"

    (wave,) = saga.provisioning.by_join("decide")
    assert wave == {"begin"} | {f"{verb} {name}" for verb in ("create", "observe") for name in WAVE_OF_MANY}


def test_machines_and_what_is_on_public_clouds_are_worked_on_side_by_side(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-vsphere"])
    saga.on("observe web-aws", *[step(Next.WAIT, delay=2)] * 3, step(Next.DONE))
    saga.on("observe web-vsphere", *[step(Next.WAIT, delay=2)] * 3, step(Next.DONE))

    sagas.provision(saga).end()

    calls = saga.provisioning.calls
    ends = {name: max(index for index, call in enumerate(calls) if name in call) for name in ("web-aws", "web-vsphere")}
    starts = {name: next(index for index, call in enumerate(calls) if name in call) for name in ends}
    assert max(starts.values()) < min(ends.values())


# How long an Express execution may last, of the engines here only ours knows.
@pytest.mark.parametrize("engine", ["ours"], indirect=True)
def test_a_batch_that_does_not_end_by_itself_is_ended_after_five_minutes_and_the_join_goes_on(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on("observe web-gcp", step(Next.WAIT, delay=100_000))
    saga.on("decide 0", saga.wave("COMPENSATE", 1))

    execution = sagas.provision(saga)
    execution.until_entered("CompensateSaga")

    assert execution.seconds_in("ProvisionWave") == [300]
    assert "fail web-gcp" not in saga.provisioning.calls
