"""The Lambda handler of the sweep's own steps: what the ledger says, and the verdict over all that was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from lambdas.adapters.observability import NEEDING_ATTENTION, StepHandler, gauge, logger, observed
from lambdas.adapters.settings import SweepSettings
from lambdas.adapters.steps import deployed
from lambdas.adapters.sweeping import deployed_targets
from lambdas.core.steps.sweep import LedgerSweep, SweepResult, most_listed
from lambdas.core.targets import Targets
from lambdas.sweep.payloads import PAYLOAD, Decide, Look

ORPHANS: Final = "SweepOrphans"
UNKNOWN: Final = "SweepUnknown"
OVERDUE: Final = "SweepOverdue"


def sweep_steps_handler(
    make_sweep: Callable[[], LedgerSweep], functions: Callable[[], Mapping[str, str]], targets: Callable[[], Targets]
) -> StepHandler:
    """The handler over a sweep that is made at the first call; `functions` look at the targets of one cloud each."""
    sweep = cache(make_sweep)

    @observed("sweep")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        payload = PAYLOAD.validate_python(event)
        if isinstance(payload, Look):
            clouds = list(_looks(functions(), targets()))
            return {"dry_run": payload.input.dry_run, "clouds": clouds, **sweep().look()}
        return _verdict(sweep(), payload)

    return handle


def _looks(functions: Mapping[str, str], targets: Targets) -> Iterator[Mapping[str, Any]]:
    for cloud, function in functions.items():
        names = list(targets[cloud])
        for name in names:
            yield {"cloud": cloud, "target": name, "function": function, "most": most_listed(len(names))}


def _verdict(sweep: LedgerSweep, payload: Decide) -> SweepResult:
    verdict = sweep.decide(payload.looked_at, payload.overdue, dry_run=payload.dry_run)
    counts = {
        ORPHANS: sum(found["orphan_count"] for found in payload.looked_at),
        UNKNOWN: sum(found["unknown_count"] for found in payload.looked_at),
        OVERDUE: len(payload.overdue),
        NEEDING_ATTENTION: payload.needing_attention,
    }
    logger.info("swept", extra={"counts": counts, "dry_run": payload.dry_run, "not_swept": payload.not_swept})
    if not payload.dry_run:
        for name, value in counts.items():
            gauge(name, value)
    return {**verdict, "not_swept": payload.not_swept, "complete": not payload.not_swept}


def _deployed_sweep() -> LedgerSweep:
    return LedgerSweep(*deployed())


handler = sweep_steps_handler(
    _deployed_sweep, lambda: SweepSettings.from_environment(os.environ).sweep_functions, deployed_targets
)
