"""The steps about whole sagas through their Lambda handler, on the payloads of the state machines."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters.observability import Broke, StepHandler
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.saga.handler import saga_handler
from tests.unit.core.world import DISK, WEB, World, make_world

CONTEXT: Any = SimpleNamespace(aws_request_id="request-1", function_name="saga")
ERROR = {"Error": "TerminalError", "Cause": json.dumps({"errorMessage": "Quota: none left"})}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def handle(world: World) -> StepHandler:
    return saga_handler(lambda: world.sagas)


def taken(handle: StepHandler, step: str, saga_id: str, **more: Any) -> Any:
    """What a step returns, as it arrives in the state machine."""
    return json.loads(json.dumps(handle({"step": step, "saga_id": saga_id, **more}, CONTEXT)))


def listed(handle: StepHandler, result: dict[str, Any]) -> list[str]:
    """The resources of a wave, as its batches find them."""
    batches = [taken(handle, "list", **batch) for batch in result["batches"]]
    return [item["resource_id"] for batch in batches for item in batch["resources"]]


def test_a_saga_goes_through_its_waves_to_the_commit(world: World, handle: StepHandler) -> None:
    saga_id = world.open()
    result = taken(handle, "begin", saga_id)
    for resource_id in (DISK, WEB):
        assert result["next"] == "PROVISION"
        assert listed(handle, result) == [resource_id]
        world.make_ready(saga_id, resource_id)
        result = taken(handle, "decide", saga_id, wave=result["wave"])
    assert result["next"] == "COMMITTED"


def test_a_saga_goes_through_its_waves_in_reverse_to_the_roll_back(world: World, handle: StepHandler) -> None:
    saga_id = world.provisioning_saga()
    world.make_ready(saga_id, DISK)
    result = taken(handle, "fence", saga_id, reason="COMPENSATE")
    for resource_id in (WEB, DISK):
        assert result["next"] == "RELEASE"
        assert listed(handle, result) == [resource_id]
        world.release.delete(saga_id, resource_id)
        if world.status(saga_id, resource_id) is not ResourceStatus.ABSENT:
            world.make_absent(saga_id, resource_id)
        result = taken(handle, "conclude", saga_id, wave=result["wave"])
    assert result["next"] == "ROLLED_BACK"


def test_a_failure_is_recorded_with_the_clouds_own_words(world: World, handle: StepHandler) -> None:
    saga_id = world.provisioning_saga()
    world.provisioning.create(saga_id, DISK)
    assert taken(handle, "fail", saga_id, resource_id=DISK, error=ERROR) is None
    resource = world.resource(saga_id, DISK)
    assert (resource.status, resource.error) == (ResourceStatus.FAILED, "TerminalError: Quota: none left")


def test_what_could_not_be_removed_is_recorded_and_ends_in_needs_attention(world: World, handle: StepHandler) -> None:
    saga_id = world.committed_saga()
    taken(handle, "fence", saga_id, reason="DESTROY")
    for resource_id in (WEB, DISK):
        assert taken(handle, "stick", saga_id, resource_id=resource_id, error=ERROR) is None
    assert taken(handle, "conclude", saga_id, wave=0)["next"] == "NEEDS_ATTENTION"
    assert world.saga(saga_id).status is SagaStatus.NEEDS_ATTENTION


@pytest.mark.parametrize(("error", "counted"), [("TerminalError", 0), ("Runtime.ImportModuleError", 1)])
def test_a_step_that_broke_is_counted_for_the_alarm_that_stops_a_rollout(
    world: World, handle: StepHandler, capsys: pytest.CaptureFixture[str], error: str, counted: int
) -> None:
    saga_id = world.provisioning_saga()
    taken(handle, "fail", saga_id, resource_id=DISK, error={"Error": error})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    broken = [line for line in lines if "StepsBroken" in line]
    assert len(broken) == counted
    assert all((line["StepsBroken"], line["service"]) == ([1.0], "skysaga") for line in broken)


def test_a_payload_of_no_step_changes_nothing(world: World, handle: StepHandler) -> None:
    saga_id = world.open()
    with pytest.raises(Broke):
        taken(handle, "commit", saga_id)
    assert world.saga(saga_id).version == 1


def test_a_wave_of_the_largest_request_stays_below_what_a_payload_may_hold(world: World, handle: StepHandler) -> None:
    arn = "arn:aws:lambda:ap-southeast-99:123456789012:function:" + "f" * 64 + ":live"
    world.sagas._functions = {"aws": dict.fromkeys(("create", "observe", "delete"), arn)}
    saga_id = world.open(*[{**_disk(), "id": f"{number:02d}".rjust(30, "d")} for number in range(50)])
    assert len(json.dumps(taken(handle, "begin", saga_id)).encode()) < 64 * 1024


def _disk() -> dict[str, Any]:
    return {
        "provider": "aws",
        "kind": "disk",
        "region": "eu-west-1",
        "spec": {"zone": "eu-west-1a", "size_gb": 8},
    }
