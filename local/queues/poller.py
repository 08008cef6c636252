"""One mapping at work: receives, waits for a batch to fill, calls, deletes what was dealt with.

Everything here happens on the timeline, one thing after the other; only a call's end is told from elsewhere. A batch
that fails stays hidden until the queue's visibility timeout shows it again, as on AWS; one whose call was throttled is
tried again, ever less often, for as long as it is hidden.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", "Handling errors for an SQS event source".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local.event_pump.pump import Timeline, Timer
from local.queues import batches
from local.queues.deployed import Mapping, Message, Queues
from local.queues.invoking import Ending, Functions

_USUAL_LIMIT: Final = 5  # with so many Lambda begins; here it does not become more
_LONGEST_PAUSE: Final = 60.0
_IN_SIGHT: Final = 0.001  # a message is visible only after the moment until which it is hidden


@dataclass(frozen=True)
class _Batch:
    messages: Sequence[Message]
    hidden_until: float
    throttles: int = 0


class Poller:
    """Polls for one mapping; `mapping` may be changed between two polls."""

    def __init__(self, timeline: Timeline, queues: Queues, functions: Functions, mapping: Mapping) -> None:
        self.mapping = mapping
        self._timeline = timeline
        self._queues = queues
        self._functions = functions
        self._calls = 0
        self._gathered: list[Message] = []
        self._gathered_since = 0.0
        self._timer: Timer | None = None
        self._closed = False

    def poll(self) -> None:
        """Hand on what there is, as far as the limit allows, and see to it that it is looked again in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while not self._closed and self._calls < (self.mapping.limit or _USUAL_LIMIT):
            self._gather()
            if not self._gathered or not self._is_due():
                self._look_again()
                return
            self._begin()

    def close(self) -> None:
        """Receive nothing any more; what is being dealt with is still deleted when it is done."""
        self._closed = True
        self.poll()

    @property
    def _now(self) -> float:
        return self._timeline.clock.now()

    def _gather(self) -> None:
        wanted = self.mapping.batch_size - len(self._gathered)
        found = self._queues.receive(self.mapping.queue_arn, wanted) if wanted > 0 else ()
        if found and not self._gathered:
            self._gathered_since = self._now
        self._gathered += found

    def _is_due(self) -> bool:
        return len(self._gathered) >= self.mapping.batch_size or self._now >= self._gathered_since + self.mapping.window

    def _look_again(self) -> None:
        """Nothing wakes us when a hidden message comes into sight or a window closes, so a timer does."""
        shown = self._queues.next_visible(self.mapping.queue_arn)
        moments = [] if shown is None else [shown + _IN_SIGHT]
        if self._gathered:
            moments.append(self._gathered_since + self.mapping.window)
        if moments:
            self._timer = self._timeline.call_at(min(moments), self.poll)

    def _begin(self) -> None:
        hidden_until = self._gathered_since + self._queues.visibility_timeout(self.mapping.queue_arn)
        batch, self._gathered = _Batch(self._gathered, hidden_until), []
        self._calls += 1
        self._call(batch)

    def _call(self, batch: _Batch) -> None:
        payload = batches.event(self.mapping, batch.messages)

        def ended(ending: Ending) -> None:
            self._timeline.call_at(self._now, lambda: self._ended(batch, ending))

        self._functions.call(self.mapping.function_arn, payload, ended)

    def _ended(self, batch: _Batch, ending: Ending) -> None:
        if ending.kind == "throttled" and self._tries_again(batch):
            return
        self._calls -= 1
        if ending.kind == "answered":
            dealt_with = batches.done(self.mapping, batch.messages, ending.answer)
            self._queues.delete(self.mapping.queue_arn, [message.receipt for message in dealt_with])
        self.poll()

    def _tries_again(self, batch: _Batch) -> bool:
        pause = min(2.0**batch.throttles, _LONGEST_PAUSE)
        if self._closed or self._now + pause >= batch.hidden_until:
            return False
        again = _Batch(batch.messages, batch.hidden_until, batch.throttles + 1)
        self._timeline.call_at(self._now + pause, lambda: self._call(again))
        return True
