"""What many runs came to, as `make simulate` prints it and keeps it in a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from lambdas.core.states import SagaStatus
from tests.simulation.runs import Result

_COMPLETED: Final = (SagaStatus.COMMITTED, SagaStatus.ROLLED_BACK)


@dataclass
class Summary:
    """Counts over runs; times to roll back are virtual seconds from the fence to the ending.

    `unremovable` counts the sagas of which a cloud would for ever refuse to remove something.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[dict[str, Any]] = field(default_factory=list)
    roll_backs: list[float] = field(default_factory=list)
    struck: int = 0
    transient: int = 0
    unremovable: int = 0
    unremovable_completed: int = 0
    recovered: int = 0
    attention: int = 0
    resumed: int = 0
    taken_up: int = 0
    half_done: int = 0
    orphans: int = 0
    doubles: int = 0

    def add(self, result: Result) -> None:
        """Count one run."""
        self.statuses[result.status] += 1
        self.faults.update(result.faults)
        self.struck += bool(result.struck)
        self.unremovable += result.unremovable
        self.unremovable_completed += result.unremovable and result.status in _COMPLETED
        if result.transient and result.struck:
            self.transient += 1
            self.recovered += result.status == SagaStatus.COMMITTED
        if result.resumed is not None:
            self.attention += 1
            self.resumed += result.resumed
        self.taken_up += bool(result.taken_up)
        self.half_done += any(it.invariant in ("all-or-none", "endings") for it in result.violations)
        self.orphans += result.orphans
        self.doubles += result.doubles
        if result.roll_back_seconds is not None:
            self.roll_backs.append(result.roll_back_seconds)
        self.violations += [{"seed": result.seed, **it._asdict()} for it in result.violations]

    def merge(self, other: Summary) -> None:
        """Count what another process has counted."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(mine, Counter):
                mine.update(value)
            elif isinstance(mine, list):
                mine.extend(value)
            else:
                setattr(self, name, mine + value)

    def document(self, seconds: float) -> dict[str, Any]:
        """The summary in the form that INTERFACES.md fixes, and then some."""
        runs = sum(self.statuses.values())
        completed = sum(self.statuses[status] for status in _COMPLETED)
        removable, done = runs - self.unremovable, completed - self.unremovable_completed
        return {
            "runs": runs,
            "completed": completed,
            "unremovable": self.unremovable,
            "completion_where_removable": round(done / removable, 6) if removable else None,
            "committed": self.statuses[SagaStatus.COMMITTED],
            "recovered": self.recovered,
            "transient_only": self.transient,
            "recovery": round(self.recovered / self.transient, 5) if self.transient else None,
            "rolled_back": self.statuses[SagaStatus.ROLLED_BACK],
            "needs_attention": self.statuses[SagaStatus.NEEDS_ATTENTION],
            "resumed": f"{self.resumed} of {self.attention}",
            "taken_up_by_the_sweep": self.taken_up,
            "struck": self.struck,
            "orphans": self.orphans,
            "doubles": self.doubles,
            "half_done": self.half_done,
            "roll_back_seconds": {
                "median": round(median(self.roll_backs), 1) if self.roll_backs else None,
                "worst": round(max(self.roll_backs), 1) if self.roll_backs else None,
            },
            "violations": sorted(self.violations, key=lambda it: it["seed"]),
            "faults": dict(self.faults.most_common()),
            "seconds": round(seconds, 1),
        }
