"""Whether a run kept DESIGN.md's invariants, by the clouds' own inventory at every change, not by the ledger alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from lambdas.core.changes import Write
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Saga
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.specs import AwsDisk, AwsInstance, AzureInstance, GcpInstance, PrivateInstance, ResourceDefinition
from lambdas.core.states import ENDINGS, ResourceStatus, SagaStatus
from lambdas.core.steps.approving import outstanding

LONGEST: Final = 48 * 3600.0
"""Virtual seconds in which a saga must have reached an ending: an upper bound of all its deadlines together."""

_READY: Final = frozenset({"running", "in-use", "available", "Succeeded", "RUNNING", "READY", "poweredOn", "Running"})
_RELEASING: Final = (SagaStatus.COMPENSATING, SagaStatus.RELEASING)

Inventory = Callable[[str], list[dict[str, Any]]]
"""What a cloud says exists there now."""


class Violation(NamedTuple):
    """An invariant of DESIGN.md that did not hold, and how."""

    invariant: str
    detail: str


class Judge:
    """Watches one saga; `violations` are in the order in which they were seen, each once."""

    def __init__(self, inventory: Inventory, standing: Callable[[], Snapshot], now: Callable[[], float]) -> None:
        self._inventory = inventory
        self._standing = standing
        self._now = now
        self.violations: list[Violation] = []
        self.fenced_at: float | None = None
        self.rolled_back_after: float | None = None
        self.cancel_accepted = False
        self.doubles = 0
        self.orphans = 0
        self._committed = False

    def blame(self, invariant: str, detail: str) -> None:
        """Record a violation, once."""
        violation = Violation(invariant, detail)
        if violation not in self.violations:
            self.violations.append(violation)

    def written(self, write: Write) -> None:
        """A write to the ledger that counts."""
        status = write.saga.status
        if write.resource is None and status is SagaStatus.ROLLED_BACK and self.fenced_at is not None:
            self.rolled_back_after = self._now() - self.fenced_at
        if write.resource is None and status is SagaStatus.COMMITTED:
            self._committed = True
            if outstanding(write.saga):
                self.blame("approval", "it committed without the approval that it asked for")
        if self._committed and status is SagaStatus.COMPENSATING:
            self.blame("all-or-none", "what had committed is being compensated")

    def known(self, saga: Saga) -> None:
        """A header that everybody knows who decides about resources."""
        if saga.status in _RELEASING and self.fenced_at is None:
            self.fenced_at = self._now()

    def sent(self, operation: str, began: float) -> None:
        """A create leaves a function that began then."""
        if self.fenced_at is not None and began > self.fenced_at:
            late = began - self.fenced_at
            self.blame("fence", f"{operation} was sent by a function that began {late:.1f} s after the fence")

    def unheard(self, label: str) -> None:
        """A function's outcome that its execution did not wait for, although nobody stopped it."""
        self.blame("siblings", f"{label} was aborted with its fate open, by the failure of a sibling")

    def look(self, cloud: str) -> None:
        """Look for doubles and for what was never written, in one cloud."""
        snapshot = self._standing()
        known = {it.id: it for it in snapshot.resources}
        seen: Counter[tuple[str, str]] = Counter()
        for item in self._ours(cloud, snapshot):
            resource_id = item["marks"].get(MARK_RESOURCE, "")
            seen[resource_id, item["type"]] += 1
            resource = known.get(resource_id)
            if resource is None or resource.status is ResourceStatus.PLANNED:
                self.blame("untracked", f"{item['type']} of {resource_id} exists without an intent")
        for (resource_id, kind), count in seen.items():
            if resource_id in known and count > made_of(known[resource_id].definition)[kind]:
                self.doubles += 1
                self.blame("twice", f"{count} x {kind} for {resource_id}")

    def conclude(self, clouds: tuple[str, ...], took: float) -> None:
        """The run is over: one of the endings, and what it promises."""
        snapshot = self._standing()
        status = snapshot.saga.status
        if status not in ENDINGS:
            self.blame("endings", f"it waits for ever: {status}, and nothing is scheduled")
        if took > LONGEST:
            self.blame("endings", f"it took {took / 3600:.0f} h")
        if self.cancel_accepted and status in (SagaStatus.COMMITTED, SagaStatus.PROVISIONING):
            self.blame("cancel", f"it was cancelled and is {status}")
        left = [{**item, "cloud": cloud} for cloud in clouds for item in self._ours(cloud, snapshot)]
        match status:
            case SagaStatus.COMMITTED:
                self._all_there(snapshot, left)
            case SagaStatus.ROLLED_BACK | SagaStatus.RELEASED:
                for item in left:
                    self.orphans += 1
                    self.blame("all-or-none", f"{status}, but {_words(item)} is there")
            case SagaStatus.NEEDS_ATTENTION:
                self._named(snapshot, left)
            case _:
                self.orphans += len(left)

    def _ours(self, cloud: str, snapshot: Snapshot) -> list[dict[str, Any]]:
        return [it for it in self._inventory(cloud) if it["marks"].get(MARK_SAGA) == snapshot.saga.id]

    def _all_there(self, snapshot: Snapshot, left: list[dict[str, Any]]) -> None:
        wanted = Counter(
            {(it.id, kind): count for it in snapshot.resources for kind, count in made_of(it.definition).items()}
        )
        there = Counter((item["marks"][MARK_RESOURCE], item["type"]) for item in left)
        if there != wanted:
            self.blame("all-or-none", f"COMMITTED; missing {dict(wanted - there)}, too much {dict(there - wanted)}")
        for item in left:
            if item["status"] not in _READY:
                self.blame("all-or-none", f"COMMITTED, but {_words(item)} is {item['status']}")

    def _named(self, snapshot: Snapshot, left: list[dict[str, Any]]) -> None:
        stuck = {it.id for it in snapshot.resources if it.status is ResourceStatus.STUCK and it.error}
        for item in left:
            if item["marks"].get(MARK_RESOURCE) not in stuck:
                self.blame("attention", f"NEEDS_ATTENTION does not name {_words(item)}")


def made_of(definition: ResourceDefinition) -> Counter[str]:
    """What a cloud's inventory shows of one resource that is ready, by type."""
    match definition:
        case AwsInstance():
            return Counter({"instance": 1, "network-interface": 1, "volume": 1})
        case AwsDisk():
            return Counter({"volume": 1})
        case AzureInstance(spec=spec):
            parts: Mapping[str, int] = {"virtualMachines": 1, "networkInterfaces": 1, "disks": 1}
            return Counter({**parts, **({"publicIPAddresses": 1} if spec.public_address else {})})
        case GcpInstance():
            return Counter({"instance": 1, "disk": 1})
        case PrivateInstance():
            return Counter({"machine": 1})
        case _:
            return Counter({"disks" if definition.provider == "azure" else "disk": 1})


def _words(item: Mapping[str, Any]) -> str:
    return f"{item['cloud']}'s {item['type']} of {item['marks'].get(MARK_RESOURCE)}"
