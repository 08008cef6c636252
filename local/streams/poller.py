"""One mapping at work: reads in order, waits for a batch to fill, calls, and goes on when that is dealt with.

Everything here happens on the timeline, one thing after the other; only a call's end is told from elsewhere. A batch
that fails holds up all that comes after it, until it is dealt with or given up.

Source: Lambda developer guide, "Using Lambda with Amazon DynamoDB", "Process DynamoDB records with Lambda".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from local.event_pump.patterns import read_pattern
from local.event_pump.pump import Timeline, Timer
from local.queues.invoking import Ending, Functions
from local.streams import batches
from local.streams.deployed import Mapping, Record, Streams, number

_LONGEST_PAUSE: Final = 60.0

Send = Callable[[str, str], None]
"""Hands a text to whoever has that ARN."""


@dataclass(frozen=True)
class _Batch:
    records: Sequence[Record]
    attempts: int = 0


class Poller:
    """Polls for one mapping; `mapping` may be changed between two polls."""

    def __init__(
        self, timeline: Timeline, streams: Streams, functions: Functions, send: Send, mapping: Mapping
    ) -> None:
        self.mapping = mapping
        self._timeline = timeline
        self._streams = streams
        self._functions = functions
        self._send = send
        self._read_up_to = 0 if mapping.from_the_beginning else streams.last(mapping.stream_arn)
        self._gathered: list[Record] = []
        self._gathered_since = 0.0
        self._waiting: list[_Batch] = []
        self._busy = False
        self._timer: Timer | None = None
        self._closed = False

    def poll(self) -> None:
        """Hand on what there is, unless something is at work already, and see to it that it is looked again in time."""
        if self._busy or self._closed:
            return
        if not self._waiting:
            self._gather()
            if not self._is_due():
                self._look_again()
                return
            self._waiting, self._gathered = [_Batch(self._gathered)], []
        self._call(self._waiting[0])

    def close(self) -> None:
        """Read nothing any more."""
        self._closed = True
        self._stop_waiting()

    @property
    def _now(self) -> float:
        return self._timeline.clock.now()

    def _gather(self) -> None:
        """Read on until a batch is full or nothing is left; what no filter lets through is passed over."""
        tests = [read_pattern(it) for it in self.mapping.filters]
        while (wanted := self.mapping.batch_size - len(self._gathered)) > 0:
            found = self._streams.read(self.mapping.stream_arn, self._read_up_to, wanted)
            if not found:
                return
            self._read_up_to = number(found[-1])
            kept = [it for it in found if not tests or any(test(it) for test in tests)]
            if kept and not self._gathered:
                self._gathered_since = self._now
            self._gathered += kept

    def _is_due(self) -> bool:
        full = len(self._gathered) >= self.mapping.batch_size
        return full or (bool(self._gathered) and self._now >= self._gathered_since + self.mapping.window)

    def _look_again(self) -> None:
        if self._gathered and self._timer is None:
            self._timer = self._timeline.call_at(self._gathered_since + self.mapping.window, self._window_closed)

    def _window_closed(self) -> None:
        self._timer = None
        self.poll()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call(self, batch: _Batch) -> None:
        self._stop_waiting()
        self._busy = True

        def ended(ending: Ending) -> None:
            self._timeline.call_at(self._now, lambda: self._ended(batch, ending))

        self._functions.call(self.mapping.function_arn, batches.event(self.mapping, batch.records), ended)

    def _ended(self, batch: _Batch, ending: Ending) -> None:
        del self._waiting[0]
        if ending.kind == "throttled":
            self._again([batch], batch.attempts + 1)
            return
        failed = ending.kind == "failed"
        left = batch.records if failed else batches.left(self.mapping, batch.records, ending.answer)
        if not left:
            self._go_on()
        elif failed and self.mapping.bisects and len(left) > 1:
            half = len(left) // 2
            self._again([_Batch(left[:half], batch.attempts), _Batch(left[half:], batch.attempts)], batch.attempts)
        else:  # what comes first has not been tried as often when some before it were dealt with
            attempts = batch.attempts + 1 if len(left) == len(batch.records) else 1
            self._try_or_give_up(_Batch(left, attempts))

    def _try_or_give_up(self, batch: _Batch) -> None:
        retries, oldest = self.mapping.retries, self.mapping.oldest
        old = [it for it in batch.records if oldest is not None and batches.age(it, self._now) > oldest]
        if retries is not None and batch.attempts > retries:
            self._give_up(batch.records, "RetryAttemptsExhausted", batch.attempts)
            self._go_on()
        elif old:
            self._give_up(old, "RecordAgeExceeded", batch.attempts)
            young = batch.records[len(old) :]
            self._again([_Batch(young, batch.attempts)] if young else [], batch.attempts)
        else:
            self._again([batch], batch.attempts)

    def _give_up(self, records: Sequence[Record], condition: str, attempts: int) -> None:
        if self.mapping.destination is not None:
            text = batches.given_up(self.mapping, records, condition, attempts, self._now)
            self._send(self.mapping.destination, text)

    def _again(self, first: Sequence[_Batch], attempts: int) -> None:
        """Try these after a pause, ever longer, before all that waits."""
        self._waiting[:0] = first
        pause = min(_LONGEST_PAUSE, 0.5 * 2.0 ** min(attempts, 10))
        self._timeline.call_at(self._now + pause, self._go_on)

    def _go_on(self) -> None:
        self._busy = False
        self.poll()
