"""Every execution the engine knows, by ARN and by machine and status, with limits on which finished ones are kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.stepfunctions.runtime.execution import Execution

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Which finished executions are kept: the last so many, no longer than so many seconds after their end.

    AWS keeps them for 90 days ("Quotas", developer guide), however many there are.
    """

    executions: int = 20_000
    seconds: float = 90 * DAY


class Listing:
    """Executions in the order of their starts; how many it holds makes no page slower."""

    __slots__ = ("_entries", "_holes", "_numbers")

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._entries: list[Execution | None] = []
        self._holes = 0

    def add(self, number: int, execution: Execution) -> None:
        """Put an execution at its place; most are the newest."""
        position = bisect_left(self._numbers, number)
        if position < len(self._numbers) and self._numbers[position] == number:
            self._entries[position] = execution
            self._holes -= 1
            return
        self._numbers.insert(position, number)
        self._entries.insert(position, execution)

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return self._holes == len(self._numbers)

    def remove(self, number: int) -> None:
        """Take an execution out; holes are closed once most of the listing is holes."""
        self._entries[bisect_left(self._numbers, number)] = None
        self._holes += 1
        if self._holes * 2 > len(self._numbers):
            kept = [(n, entry) for n, entry in zip(self._numbers, self._entries, strict=True) if entry is not None]
            self._numbers = [n for n, _ in kept]
            self._entries = [entry for _, entry in kept]
            self._holes = 0

    def newest_first(self, before: int | None) -> Iterator[tuple[int, Execution]]:
        """(number, execution) from the one started last, or from the last one before `before`."""
        end = len(self._numbers) if before is None else bisect_left(self._numbers, before)
        for position in range(end - 1, -1, -1):
            execution = self._entries[position]
            if execution is not None:
                yield self._numbers[position], execution


class Executions:
    """Finds executions in constant time and lists a machine's newest first, whatever their number."""

    def __init__(self, retention: Retention | None = None) -> None:
        self.retention = retention or Retention()
        self.on_forget: Callable[[Execution], None] = lambda execution: None
        self._by_arn: dict[str, Execution] = {}
        self._listings: dict[tuple[str, str | None], Listing] = {}
        self._finished: OrderedDict[str, Execution] = OrderedDict()
        self._count = 0
        self._places: dict[str, tuple[int, str]] = {}

    def __getitem__(self, arn: str) -> Execution:
        return self._by_arn[arn]

    def __iter__(self) -> Iterator[Execution]:
        return iter(self._by_arn.values())

    def __len__(self) -> int:
        return len(self._by_arn)

    def get(self, arn: str) -> Execution | None:
        """The execution, None when there is none."""
        return self._by_arn.get(arn)

    def add(self, execution: Execution) -> None:
        """Register a new execution."""
        self._count += 1
        self._by_arn[execution.arn] = execution
        self._places[execution.arn] = self._count, execution.status
        for group in _groups(execution):
            self._listing(group, None).add(self._count, execution)
            self._listing(group, execution.status).add(self._count, execution)

    def finished(self, execution: Execution) -> None:
        """An execution has ended; the oldest finished ones are forgotten beyond the limits."""
        self._restate(execution)
        self._finished[execution.arn] = execution
        oldest_kept = (execution.stopped or 0.0) - self.retention.seconds
        while self._finished:
            oldest = next(iter(self._finished.values()))
            if len(self._finished) <= self.retention.executions and (oldest.stopped or 0.0) >= oldest_kept:
                return
            self._finished.popitem(last=False)
            self._forget(oldest)

    def resumed(self, execution: Execution) -> None:
        """A finished execution runs again and is not forgotten meanwhile; a child that was forgotten is known again."""
        self._finished.pop(execution.arn, None)
        if execution.arn in self._by_arn:
            self._restate(execution)
        else:
            self.add(execution)

    def _restate(self, execution: Execution) -> None:
        number, status = self._places[execution.arn]
        self._places[execution.arn] = number, execution.status
        for group in _groups(execution):
            self._unlist(group, status, number)
            self._listing(group, execution.status).add(number, execution)

    def _forget(self, execution: Execution) -> None:
        if self._by_arn.pop(execution.arn, None) is None:
            return
        number, status = self._places.pop(execution.arn)
        for group in _groups(execution):
            self._unlist(group, None, number)
            self._unlist(group, status, number)
        self.on_forget(execution)

    def _listing(self, group: str, status: str | None) -> Listing:
        return self._listings.setdefault((group, status), Listing())

    def _unlist(self, group: str, status: str | None, number: int) -> None:
        listing = self._listings[group, status]
        listing.remove(number)
        if listing.empty:
            del self._listings[group, status]

    def newest_first(
        self, group: str, status: str | None = None, before: int | None = None
    ) -> Iterator[tuple[int, Execution]]:
        """(sequence number, execution) of a machine, version, alias or map run, from the one started last."""
        listing = self._listings.get((group, status))
        return iter(()) if listing is None else listing.newest_first(before)


def _groups(execution: Execution) -> list[str]:
    if execution.map_run is not None:
        return [execution.map_run.arn]
    origin = execution.origin
    return [arn for arn in (origin.machine_arn, origin.version_arn, origin.alias_arn) if arn is not None]
