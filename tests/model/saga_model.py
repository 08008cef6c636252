"""The whole model: header, resources and time put together, and what must hold of every state."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from itertools import chain
from typing import Generic, TypeVar

from lambdas.core.states import ResourceStatus, SagaStatus
from tests.model.checker import Kind, Move, System
from tests.model.header_moves import Statuses, header_behind, header_changes
from tests.model.resource_moves import aged, behind, resource_changes, tidy
from tests.model.rules import Rules
from tests.model.state import Header, Resource

RELEASED = (SagaStatus.ROLLED_BACK, SagaStatus.RELEASED)
ENDED = (SagaStatus.COMMITTED, SagaStatus.NEEDS_ATTENTION, *RELEASED)

State = tuple[int, ...]
"""The number of the header, and those of the resources in ascending order: which is which makes no difference."""

V = TypeVar("V", bound=Hashable)


class _Numbered(Generic[V]):
    """Values in the order in which they were met: numbers are compared a hundred times faster."""

    def __init__(self) -> None:
        self._numbers: dict[V, int] = {}
        self.values: list[V] = []

    def number(self, value: V) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self.values)
            self.values.append(value)
        return self._numbers[value]


class SagaModel:
    """A saga that plays by some rules, on clouds and an infrastructure that do whatever the fault model allows.

    What can happen to a resource depends on itself and the header only, so it is worked out once for each such pair.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._headers = _Numbered[Header]()
        self._resources = _Numbered[Resource]()
        self._of_header = cache(self._header_changes)
        self._of_resource = cache(self._resource_changes)
        self._older = cache(self._aged)
        self._outdated = cache(lambda it: self._resources.number(behind(self._resources.values[it])))
        self._wrong_with = cache(
            lambda header, it: wrong_with(self._headers.values[header], self._resources.values[it])
        )

    def system(self) -> System[State]:
        """What the checker explores."""
        initial = (self._headers.number(Header()), *[self._resources.number(Resource())] * self._rules.resources)
        return System(initial, self.moves, self.wrong, self.ended, self.clean)

    def moves(self, state: State) -> Iterator[Move[State]]:
        """Everything that can happen next."""
        header, *resources = state
        return chain(self._time(state), self._saga(header, resources), self._each(header, resources))

    def statuses(self, state: State) -> tuple[SagaStatus, tuple[ResourceStatus, ...]]:
        """What the ledger says: the saga's status and those of its resources."""
        header, *resources = state
        return self._headers.values[header].status, tuple(self._resources.values[it].status for it in resources)

    def wrong(self, state: State) -> str | None:
        """The invariant that a state breaks, if any."""
        header, *resources = state
        return next((problem for it in resources if (problem := self._wrong_with(header, it))), None)

    def ended(self, state: State) -> bool:
        """Whether nothing more need happen."""
        return self._headers.values[state[0]].status in ENDED

    def clean(self, state: State) -> bool:
        """Whether the saga says that all exist, or none."""
        return self._headers.values[state[0]].status in (SagaStatus.COMMITTED, *RELEASED)

    def _time(self, state: State) -> Iterator[Move[State]]:
        header, *resources = state
        older = [number for it in resources if (number := self._older(it)) is not None]
        if len(older) == len(resources):
            yield Move("time passes", Kind.PROGRESS, (header, *sorted(older)))

    def _saga(self, header: int, resources: list[int]) -> Iterator[Move[State]]:
        statuses = frozenset(self._resources.values[it].status for it in resources)
        for label, kind, after, wrote in self._of_header(header, statuses):
            yield Move(label, kind, (after, *sorted(map(self._outdated, resources) if wrote else resources)))

    def _each(self, header: int, resources: list[int]) -> Iterator[Move[State]]:
        for place, it in enumerate(resources):
            others = resources[:place] + resources[place + 1 :]
            for label, kind, new_header, after, wrote in self._of_resource(header, it):
                rest = list(map(self._outdated, others)) if wrote else others
                yield Move(label, kind, (new_header, *sorted((after, *rest))))

    def _header_changes(self, header: int, statuses: Statuses) -> list[tuple[str, Kind, int, bool]]:
        return [
            (label, kind, self._headers.number(after), wrote)
            for label, kind, after, wrote in header_changes(self._rules, self._headers.values[header], statuses)
        ]

    def _resource_changes(self, header: int, it: int) -> list[tuple[str, Kind, int, int, bool]]:
        before = self._headers.values[header]
        outdated = self._headers.number(header_behind(before))
        changes = []
        for label, kind, after, wrote in resource_changes(self._rules, before, self._resources.values[it]):
            number = self._resources.number(tidy(self._rules, behind(after) if wrote else after))
            changes.append((label, kind, outdated if wrote else header, number, wrote))
        return changes

    def _broken_by(self, header: int, it: int) -> str | None:
        return wrong_with(self._headers.values[header], self._resources.values[it])

    def _aged(self, it: int) -> int | None:
        older = aged(self._rules, self._resources.values[it])
        return None if older is None else self._resources.number(older)


def wrong_with(header: Header, it: Resource) -> str | None:
    """The invariant that a header and one of its resources break, if any."""
    if header.status is SagaStatus.COMMITTED:
        return _wrong_with_committed(header, it)
    if header.committed and header.goal is SagaStatus.ROLLED_BACK:
        return "a commit was compensated"
    if it.twins:
        return "two live for one intent"
    if it.trespass:
        return "a create began after the fence"
    return _wrong_to_be_there(header, it) if it.lives else None


def _wrong_with_committed(header: Header, it: Resource) -> str | None:
    if header.cancelled:
        return "a cancel was accepted, and the saga committed"
    if header.outstanding:
        return "committed without the approval it asks for"
    return None if it.lives else "committed without everything being there"


def _wrong_to_be_there(header: Header, it: Resource) -> str | None:
    if header.status in RELEASED:
        return "an orphan after the end"
    if it.status is ResourceStatus.ABSENT and it.intended:
        return "there, but absent in the ledger"
    if header.status is SagaStatus.NEEDS_ATTENTION and it.status is not ResourceStatus.STUCK:
        return "left behind, and not named"
    return None if it.intended else "there without an intent"
