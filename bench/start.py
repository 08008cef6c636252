"""How long it takes from nothing running to the first saga committed, on one machine whose environment is built.

The machine is started as `make up` starts it, and a request for a machine on each of three clouds is submitted as soon
as it says that it is ready. What was synthesized before is used, as whoever starts a second time does; what the first
start takes beside that is told by `python -m bench.start`, which begins with what is built thrown away.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any, Final

from bench.api import Api, document
from bench.figure import Figure, limited, plain
from bench.foreground import foreground
from local.assembly import STATE, synthesize

GOAL_SECONDS: Final = 10.0
_REPEATS: Final = 3
_BUILT: Final = ("assemblies", "assets", "bundles", "tasks")

PHASES: Final = ("imported", "synthesized", "clouds started", "deployed and ready", "accepted", "committed")


def measure() -> dict[str, float]:
    """The seconds after which each phase was over, from the start of the process on."""
    began = time.monotonic()
    with foreground(began) as machine:
        moments = [moment for moment, _ in machine.said]
        api = Api(machine.endpoints.api)
        saga = api.call("POST", "/sagas", document())["id"]
        accepted = time.monotonic() - began
        _await_commit(api, saga)
        committed = time.monotonic() - began
    return dict(zip(PHASES, [*moments[:3], moments[-1], accepted, committed], strict=True))


def _await_commit(api: Api, saga: str) -> None:
    seen = 0
    while True:
        for event in api.call("GET", f"/sagas/{saga}/events?after={seen}&wait=10")["items"]:
            seen = event["seq"]
            if event["resource"] is None and event["status"] == "COMMITTED":
                return
            if event["status"] in ("FAILED", "ROLLED_BACK"):
                raise RuntimeError(f"saga {saga}: {event}")


def lasted(phases: Mapping[str, float]) -> dict[str, float]:
    """How long each phase lasted by itself."""
    ends = [0.0, *phases.values()]
    return {name: after - before for name, before, after in zip(phases, ends, ends[1:], strict=False)}


def figures() -> list[Figure]:
    """From nothing to the first commit against its goal, and where the time goes: the median of a few starts."""
    synthesize()
    runs = sorted((measure() for _ in range(_REPEATS)), key=lambda it: it["committed"])
    typical: dict[str, Any] = runs[len(runs) // 2]
    method = f"`python -m local`, synthesized before; the median of {_REPEATS} starts"
    name = "start, until the first saga is committed"
    return [
        limited(name, typical["committed"], "s", GOAL_SECONDS, method),
        *(plain(f"{name}: {phase}", seconds, "s", method) for phase, seconds in lasted(typical).items()),
    ]


if __name__ == "__main__":
    for folder in _BUILT:
        shutil.rmtree(STATE / folder, ignore_errors=True)
    for phase, seconds in lasted(measure()).items():
        print(f"{phase:20} {seconds:6.1f} s")
