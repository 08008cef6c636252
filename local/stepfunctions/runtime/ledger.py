"""Every execution the engine knows, by ARN and by machine, with a limit on how many finished ones are kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator

from local.stepfunctions.runtime.execution import Execution

DEFAULT_KEPT = 20_000


class Executions:
    """Finds executions in constant time and lists a machine's newest first, whatever their number."""

    def __init__(self, kept: int = DEFAULT_KEPT) -> None:
        self.kept = kept
        self.on_forget: Callable[[Execution], None] = lambda execution: None
        self._by_arn: dict[str, Execution] = {}
        self._by_group: dict[str, list[tuple[int, Execution]]] = {}
        self._finished: deque[Execution] = deque()
        self._count = 0
        self._sequence: dict[str, int] = {}

    def __getitem__(self, arn: str) -> Execution:
        return self._by_arn[arn]

    def __iter__(self) -> Iterator[Execution]:
        return iter(self._by_arn.values())

    def get(self, arn: str) -> Execution | None:
        """The execution, None when there is none."""
        return self._by_arn.get(arn)

    def add(self, execution: Execution) -> None:
        """Register a new execution."""
        self._count += 1
        self._by_arn[execution.arn] = execution
        self._sequence[execution.arn] = self._count
        for group in _groups(execution):
            self._by_group.setdefault(group, []).append((self._count, execution))

    def finished(self, execution: Execution) -> None:
        """An execution has ended; the oldest finished ones are forgotten beyond the limit."""
        self._finished.append(execution)
        while len(self._finished) > self.kept:
            self._forget(self._finished.popleft())

    def _forget(self, execution: Execution) -> None:
        if execution.running or self._by_arn.pop(execution.arn, None) is None:
            return
        number = self._sequence.pop(execution.arn)
        for group in _groups(execution):
            entries = self._by_group[group]
            position = bisect_left(entries, number, key=lambda entry: entry[0])
            del entries[position]
        self.on_forget(execution)

    def newest_first(self, group: str, before: int | None = None) -> Iterator[tuple[int, Execution]]:
        """(sequence number, execution) of a machine, version, alias or map run, from the one started last."""
        entries = self._by_group.get(group, [])
        end = len(entries) if before is None else bisect_left(entries, before, key=lambda entry: entry[0])
        for position in range(end - 1, -1, -1):
            yield entries[position]


def _groups(execution: Execution) -> list[str]:
    if execution.map_run is not None:
        return [execution.map_run.arn]
    origin = execution.origin
    return [arn for arn in (origin.machine_arn, origin.version_arn, origin.alias_arn) if arn is not None]
