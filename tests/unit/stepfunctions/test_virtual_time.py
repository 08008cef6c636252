"""Time that jumps, and interleavings that a seed decides."""

import json
import os
import subprocess
import sys
import time

from local.stepfunctions.harness import Harness, VirtualTime
from tests.unit.stepfunctions.machines import chain, task

HOURLY = {
    "StartAt": "Hour",
    "States": {
        "Hour": {"Type": "Wait", "Seconds": 3600, "Next": "Work"},
        "Work": {**task("tick", Retry=[{"ErrorEquals": ["ValueError"], "IntervalSeconds": 60}]), "Next": "Enough"},
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.hours", "NumericGreaterThanEquals": 720, "Next": "Done"}],
            "Default": "Hour",
        },
        "Done": {"Type": "Succeed"},
    },
}
RACE = chain(M={"Type": "Map", "ItemProcessor": chain(T=task("f"), P={"Type": "Pass"})})


def race(seed: int) -> str:
    harness = Harness(seed=seed)
    harness.function("f", lambda event: event)
    return json.dumps(harness.run(RACE, list(range(6)), name="race").history)


def test_thirty_days_of_hourly_waits_and_retries_pass_in_under_a_second(stepfunctions: Harness) -> None:
    def tick(event: dict[str, int]) -> dict[str, int]:
        if len(stepfunctions.calls) % 7 == 0:
            raise ValueError("now and then")
        return {"hours": event["hours"] + 1}

    stepfunctions.function("tick", tick)
    began = time.perf_counter()
    run = stepfunctions.run(HOURLY, {"hours": 0})
    assert time.perf_counter() - began < 1
    assert run.status == "SUCCEEDED"
    assert run.seconds >= 30 * 24 * 3600


def test_the_same_seed_gives_the_same_history() -> None:
    assert race(3) == race(3)


def test_the_same_seed_gives_the_same_history_in_every_process() -> None:
    script = "from tests.unit.stepfunctions.test_virtual_time import race; print(race(3))"
    histories = [
        subprocess.run(  # noqa: S603 - this interpreter, this module
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert histories[0] == histories[1]


def test_other_seeds_give_other_interleavings() -> None:
    assert len({race(seed) for seed in range(5)}) > 3


def test_others_share_the_engines_schedule(stepfunctions: Harness, clock: VirtualTime) -> None:
    seen: list[float] = []
    start = clock.now()
    stepfunctions.engine.call_at(start + 5, lambda: seen.append(clock.now() - start))
    run = stepfunctions.start(chain(W={"Type": "Wait", "Seconds": 10}))
    clock.advance(seconds=7)
    assert (seen, run.status) == ([5], "RUNNING")
