"""What goes wrong in a simulated run: the whole fault model, at every place where a call crosses a boundary.

| kind         | where              | what happens                                                                    |
|--------------|--------------------|---------------------------------------------------------------------------------|
| `refuse` ... | a cloud's call     | the faults of `local/simulators/faults.py`                                      |
| `refused`    | ledger, start      | refused for now, without effect                                                 |
| `unanswered` | ledger, function   | takes effect, and nobody hears of it                                            |
| `slow`       | ledger             | answered after `seconds`                                                        |
| `throttled`  | function           | Lambda refuses to run it                                                        |
| `killed`     | function           | its worker dies in front of its call number `seconds` to the outside            |
| `cold`       | function           | begins `seconds` later: a cold start, a queue                                   |
| `repeated`   | function           | delivered a second time `seconds` later, while the first may still be running   |
| `cancel`     | any                | the caller cancels the saga at that instant                                     |
| `abort`      | any                | StopExecution on whatever runs for the saga at that instant                     |
| `restart`    | any                | the saga's executions are started a second time at that instant                 |
| `batch`      | any                | the Express executions that work on its batches are gone at that instant        |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Final

CONTROLS: Final = ("cancel", "abort", "restart", "batch")
READ_KINDS: Final = ("refuse", "throttle", "error", "lost", "slow", "stale")
CHANGE_KINDS: Final = ("refuse", "throttle", "error", "lost", "late", "twice", "slow")
DELETE_KINDS: Final = (*CHANGE_KINDS, "fail")
CREATE_KINDS: Final = (*CHANGE_KINDS, "fail", "capacity")
LEDGER_READ_KINDS: Final = ("refused", "slow")
LEDGER_WRITE_KINDS: Final = ("refused", "unanswered", "slow")
FUNCTION_KINDS: Final = ("throttled", "cold", "killed", "unanswered", "repeated")
START_KINDS: Final = ("refused", "unanswered")

DECISIVE: Final = frozenset({"fail", "capacity", "cancel", "abort"})
"""What a saga cannot be expected to survive without rolling back."""

_CREATES: Final = ("RunInstances", "CreateVolume", "*_CreateOrUpdate", "*.insert")
_CHANGES: Final = ("AttachVolume",)
_DELETES: Final = ("TerminateInstances", "Delete*", "*_Delete", "*.delete")

LONGEST_LATE: Final = 60.0
"""Seconds after which a late request takes effect at the latest. With the rest of a function's 30 and a stale read's 20
that stays within the settling window of 120, which is what the window is for; the sweep is for what comes after it."""

LONGEST_STALE: Final = 20.0

_DURATIONS: Final[Mapping[str, tuple[float, float]]] = {
    "late": (1, LONGEST_LATE),
    "stale": (1, LONGEST_STALE),
    "slow": (0.5, 25),
    "fail": (0.2, 20),
    "capacity": (0.2, 20),
    "repeated": (0, 5),
    "cold": (0.3, 12),
}


@dataclass(frozen=True)
class Upset:
    """One thing that goes wrong: the `nth` call (from 1; 0 for every one) of a site, such as `aws:RunInstances`."""

    site: str
    nth: int
    kind: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.site} #{self.nth}: {self.kind}" + (f" {self.seconds:.1f}" if self.seconds else "")


def kinds_at(cloud_operation: str) -> tuple[str, ...]:
    """The kinds of fault that a cloud's operation can meet."""
    if is_create(cloud_operation):
        return CREATE_KINDS
    if _matches(cloud_operation, _CHANGES):
        return CHANGE_KINDS
    return DELETE_KINDS if _matches(cloud_operation, _DELETES) else READ_KINDS


def is_create(operation: str) -> bool:
    """Whether an operation brings something into being."""
    return _matches(operation, _CREATES)


def changes_something(operation: str) -> bool:
    """Whether an operation can change what exists."""
    return kinds_at(operation) is not READ_KINDS


def seconds_for(kind: str, site: str, random: Random) -> float:
    """A duration that makes sense for a kind of upset; for `killed`, the number of a call."""
    if kind == "killed":
        return float(random.randrange(8))
    if kind == "slow" and site.startswith("ledger"):
        return round(random.uniform(0.5, 10), 1)
    shortest, longest = _DURATIONS.get(kind, (0.0, 0.0))
    return round(random.uniform(shortest, longest), 1)


class Upsets:
    """What goes wrong in one run; every call asks `at`, and `struck` lists what did go wrong, in order.

    `sites` lists every call with the kinds of upset it could have met. `decisive` tells whether anything struck that a
    saga cannot be expected to survive without rolling back; everything else is transient. `unremovable` tells whether a
    cloud refused to remove something, and always will.
    """

    def __init__(self) -> None:
        self.struck: list[Upset] = []
        self.sites: list[tuple[str, int, tuple[str, ...]]] = []
        self.decisive = False
        self.unremovable = False
        self._counts: Counter[str] = Counter()

    def at(self, site: str, kinds: Sequence[str]) -> Upset | None:
        """What happens to this call of a site, if anything; counts it."""
        self._counts[site] += 1
        nth = self._counts[site]
        self.sites.append((site, nth, tuple(kinds)))
        upset = self.choose(site, nth, kinds)
        if upset is not None:
            self.struck.append(upset)
            self.decisive = self.decisive or upset.kind in DECISIVE
        return upset

    def choose(self, site: str, nth: int, kinds: Sequence[str]) -> Upset | None:
        """What happens to the `nth` call of a site: nothing, here."""
        return None


class PlannedUpsets(Upsets):
    """Exactly these, wherever their calls take place."""

    def __init__(self, plan: Iterable[Upset]) -> None:
        super().__init__()
        self._plan: Mapping[tuple[str, int], Upset] = {(upset.site, upset.nth): upset for upset in plan}

    def choose(self, site: str, nth: int, kinds: Sequence[str]) -> Upset | None:
        """What the plan says about this call."""
        return self._plan.get((site, nth)) or self._plan.get((site, 0))


@dataclass(frozen=True)
class Mix:
    """How often things go wrong: `anywhere` and `at_creates` are probabilities per call, the others are per saga."""

    anywhere: float
    at_creates: float = 0.0
    controlled: float = 0.0
    lasting: float = 0.0
    outage: float = 0.0
    stubborn: float = 0.0


MIXES: Final[tuple[tuple[float, Mix], ...]] = (
    (0.05, Mix(0.0)),
    (0.20, Mix(0.01)),
    (0.10, Mix(0.03)),
    (0.15, Mix(0.01, at_creates=0.3)),
    (0.15, Mix(0.01, at_creates=0.3, controlled=1.0)),
    (0.15, Mix(0.01, at_creates=0.2, lasting=1.0)),
    (0.09, Mix(0.01, outage=1.0)),
    (0.01, Mix(0.01, at_creates=0.3, stubborn=1.0)),
    (0.10, Mix(0.06, at_creates=0.3, controlled=0.5, lasting=0.5)),
)
"""The declared fault mix: the share of sagas that meet each one."""

_WEIGHTS: Final[Mapping[str, int]] = {"lost": 2, "late": 3, "cold": 2}
"""What is drawn more often than the others, since it is what sagas break on."""

TRANSIENT_KINDS: Final = frozenset({*READ_KINDS, *CHANGE_KINDS, *LEDGER_WRITE_KINDS, *FUNCTION_KINDS, *START_KINDS})


_PLACES: Final = ("aws:*", "azure:*", "gcp:*", "ledger:*", "aws:TerminateInstances", "azure:*_Delete", "gcp:*.delete")
"""What can be out of order for a while."""

_LASTING: Final = (
    ("aws:RunInstances", "capacity"),
    ("aws:RunInstances", "late"),
    ("aws:CreateVolume", "capacity"),
    ("aws:CreateVolume", "late"),
    ("azure:VirtualMachines_CreateOrUpdate", "capacity"),
    ("azure:VirtualMachines_CreateOrUpdate", "late"),
    ("azure:Disks_CreateOrUpdate", "fail"),
    ("azure:Disks_CreateOrUpdate", "late"),
    ("gcp:instances.insert", "fail"),
    ("gcp:instances.insert", "late"),
    ("gcp:disks.insert", "capacity"),
    ("gcp:disks.insert", "late"),
)
"""What goes on and on, whenever it is tried."""

_STUBBORN: Final = (
    ("aws:TerminateInstances", "error"),
    ("aws:DeleteVolume", "refuse"),
    ("azure:*_Delete", "throttle"),
    ("gcp:*.delete", "fail"),
)
"""What a cloud refuses to remove for ever: no saga can, so it has to ask for attention, and is counted apart."""


@dataclass(frozen=True)
class Outage:
    """A cloud, its deletes, or the ledger, that answer nothing but errors for a while; moments are Unix seconds."""

    site: str
    begins: float
    ends: float
    kind: str

    def strikes(self, site: str, now: float) -> bool:
        """Whether a call of that site falls into it."""
        return self.begins <= now < self.ends and fnmatchcase(site, self.site)


class RandomUpsets(Upsets):
    """Drawn from a seed as the calls come; what was struck can be replayed as a plan."""

    def __init__(self, seed: int, now: Callable[[], float]) -> None:
        super().__init__()
        self._random = Random(f"upsets:{seed}")  # noqa: S311 -- runs must repeat for a seed
        self._now = now
        shares, mixes = zip(*MIXES, strict=True)
        self.mix: Mix = self._random.choices(mixes, shares)[0]
        self._calls_until_control = self._random.randint(1, 80) if self._draws(self.mix.controlled) else -1
        self._control_follows_create = self._draws(0.5)
        self._lasting = self._random.choice(_LASTING) if self._draws(self.mix.lasting) else None
        self._outage = self._some_outage() if self._draws(self.mix.outage) else None
        self._stubborn = self._random.choice(_STUBBORN) if self._draws(self.mix.stubborn) else None

    def choose(self, site: str, nth: int, kinds: Sequence[str]) -> Upset | None:
        """What befalls this call."""
        self._calls_until_control -= 1
        if self._calls_until_control == 0:
            return Upset(site, nth, self._random.choice((*CONTROLS, "abort")))
        if self._outage is not None and self._outage.strikes(site, self._now()):
            self.decisive = True
            return Upset(site, nth, self._outage.kind)
        if self._lasting is not None and self._lasting[1] in kinds and fnmatchcase(site, self._lasting[0]):
            self.decisive = True
            return Upset(site, nth, self._lasting[1], LONGEST_LATE if self._lasting[1] == "late" else 5.0)
        if self._stubborn is not None and fnmatchcase(site, self._stubborn[0]):
            self.unremovable = True
            return Upset(site, nth, self._stubborn[1], 5.0)
        creates = tuple(kinds) == CREATE_KINDS
        if not self._draws(self.mix.at_creates if creates else self.mix.anywhere):
            return None
        if creates and self._control_follows_create and self._calls_until_control > 0:
            self._calls_until_control = self._random.randint(1, 12)
        possible = [kind for kind in kinds if kind in TRANSIENT_KINDS]
        kind = self._random.choices(possible, [_WEIGHTS.get(kind, 1) for kind in possible])[0]
        return Upset(site, nth, kind, seconds_for(kind, site, self._random))

    def _draws(self, probability: float) -> bool:
        return self._random.random() < probability

    def _some_outage(self) -> Outage:
        begins = self._now() + self._random.uniform(0, 60)
        place = self._random.choice(_PLACES)
        kind = "refused" if place == "ledger:*" else self._random.choice(("refuse", "error", "throttle"))
        return Outage(place, begins, begins + self._random.choice((30, 300, 1800)), kind)


def _matches(operation: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(operation, pattern) for pattern in patterns)
