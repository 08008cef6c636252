"""All mappings at work: each deployed and enabled one has its poller, woken when something may have changed."""

from __future__ import annotations

import logging
import threading

from local.event_pump.errors import NotSupported
from local.event_pump.pump import Timeline
from local.queues.deployed import Mapping, Queues
from local.queues.invoking import Functions
from local.queues.poller import Poller

_log = logging.getLogger(__name__)


class QueuePolling:
    """Plays the mappings that `queues` holds, on a timeline, real or virtual.

    `start` refuses what cannot be played. Call `wake` whenever a mapping may have changed or a message may have come:
    nothing is looked at in between, except when a hidden message comes into sight or a batching window closes.
    """

    def __init__(self, timeline: Timeline, queues: Queues, functions: Functions) -> None:
        self._timeline = timeline
        self._queues = queues
        self._functions = functions
        self._pollers: dict[str, Poller] = {}
        self._refused: dict[str, Mapping] = {}
        self._started = False
        self._woken = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; raises NotSupported naming the first mapping that cannot be played."""
        for mapping in self._queues.mappings():
            check(mapping)
        self._started = True
        self.wake()

    def wake(self) -> None:
        """Look, soon and on the timeline, at what is deployed and into every queue; callable from any thread."""
        with self._lock:
            if self._woken or not self._started:
                return
            self._woken = True
        self._timeline.call_at(self._timeline.clock.now(), self._look)

    def _look(self) -> None:
        with self._lock:
            self._woken = False  # what comes from now on is looked at again
        deployed = {each.id: each for each in self._queues.mappings() if each.enabled and self._is_playable(each)}
        for gone in set(self._pollers) - set(deployed):
            self._pollers.pop(gone).close()
        for identity, mapping in deployed.items():
            if identity not in self._pollers:
                self._pollers[identity] = Poller(self._timeline, self._queues, self._functions, mapping)
            self._pollers[identity].mapping = mapping
            self._pollers[identity].poll()

    def _is_playable(self, mapping: Mapping) -> bool:
        try:
            check(mapping)
        except NotSupported as error:
            if self._refused.get(mapping.id) != mapping:
                _log.warning("not played: %s", error)
            self._refused[mapping.id] = mapping
            return False
        return True


def check(mapping: Mapping) -> None:
    """Raise NotSupported for a mapping that cannot be played here, or that AWS would not take."""
    name = f"the event source mapping {mapping.queue_arn} to {mapping.function_arn}"
    if mapping.queue_arn.split(":")[2] != "sqs" or mapping.queue_arn.endswith(".fifo"):
        raise NotSupported(f"{name}: only standard queues are polled here")
    if mapping.unsupported:
        raise NotSupported(f"{name}: {', '.join(mapping.unsupported)}")
    if mapping.batch_size > 10 and mapping.window < 1:
        raise NotSupported(f"{name}: more than 10 messages a batch need a batching window of at least a second")
