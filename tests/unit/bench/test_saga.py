"""The saga that engines are compared with: ours commits it, rolls it back, and resumes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import overhead
from bench.peers.definition import FUNCTIONS, definition
from bench.peers.programs import activities
from bench.peers.running import EngineFailed
from bench.peers.skysaga import JOURNAL, MEMORY, SYNCED, Skysaga
from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult


class Recorder:
    """Calls the activities and keeps what was called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def invoke(self, function: str, payload: bytes) -> LambdaResult:
        name, arguments = function.rsplit(":", 1)[1], json.loads(payload)
        self.calls.append(" ".join([name, *([arguments["cloud"]] if "cloud" in arguments else [])]))
        try:
            return LambdaResult(json.dumps(getattr(activities, name)(**arguments)).encode())
        except activities.QuotaExceeded as error:
            return LambdaResult(
                json.dumps({"errorType": "QuotaExceeded", "errorMessage": str(error)}).encode(), "Handled"
            )


def run(fail: str) -> tuple[str, Recorder]:
    recorder = Recorder()
    engine = Engine(clock=VirtualClock(), lambda_invoke=recorder.invoke)
    execution = engine.execution(
        engine.start_execution(engine.create_state_machine("saga", definition()), {"saga": "s", "fail": fail})
    )
    engine.run()
    return execution.status, recorder


def test_a_saga_that_commits_creates_in_every_cloud_polls_twice_and_deletes_nothing() -> None:
    status, recorder = run("")

    assert status == "SUCCEEDED"
    assert len(recorder.calls) == 13
    assert recorder.calls[-1] == "commit"
    assert all(recorder.calls.count(f"describe {cloud}") == 2 for cloud in activities.CLOUDS)
    assert not any(call.startswith("delete") for call in recorder.calls)


@pytest.mark.parametrize(
    ("fail", "deleted"),
    [("gcp", ["delete azure", "delete aws"]), ("aws", ["delete gcp", "delete azure"])],
)
def test_a_saga_whose_cloud_refuses_deletes_in_the_others_in_reverse_order(fail: str, deleted: list[str]) -> None:
    status, recorder = run(fail)

    assert status == "FAILED"
    assert recorder.calls[-3:] == [*deleted, "abort"]
    assert "commit" not in recorder.calls


@pytest.mark.parametrize("variant", [MEMORY, JOURNAL, SYNCED])
def test_the_engine_in_its_own_process_commits_and_rolls_back_as_many_as_it_is_told(
    tmp_path: Path, variant: str
) -> None:
    with Skysaga().start(tmp_path, variant) as engine:
        committed, rolled_back = engine.run(12, 4), engine.run(3, 1, "gcp")
        megabytes = engine.megabytes()

    assert (len(committed.milliseconds), len(rolled_back.milliseconds)) == (12, 3)
    assert megabytes > 1


def test_a_saga_that_ends_otherwise_than_it_should_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with Skysaga().start(tmp_path, MEMORY) as engine, pytest.raises(EngineFailed, match="KeyError"):
        engine.run(1, 1, "a cloud that there is not")


@pytest.mark.parametrize("variant", [JOURNAL, SYNCED])
def test_sagas_are_resumed_after_sigkill(tmp_path: Path, variant: str) -> None:
    sagas = ["one", "two", "three"]
    with Skysaga().start(tmp_path, variant, slow=0.3) as engine:
        engine.begin(sagas)

    with Skysaga().start(tmp_path, variant) as engine:
        assert engine.finish(sagas) == 3


def test_without_a_journal_nothing_is_resumed(tmp_path: Path) -> None:
    with Skysaga().start(tmp_path, MEMORY, slow=0.3) as engine:
        engine.begin(["one"])

    with Skysaga().start(tmp_path, MEMORY) as engine, pytest.raises(EngineFailed, match="KeyError"):
        engine.finish(["one"])


def test_the_deployed_activities_answer_as_those_in_the_process() -> None:
    with overhead.workers() as call:
        name = f"{FUNCTIONS}describe"
        payload = b'{"cloud": "aws", "id": "aws-s", "n": 1}'

        assert json.loads(call(name, payload)) == json.loads(overhead.direct(name, payload))
