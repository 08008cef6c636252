"""All mappings of streams at work: each deployed and enabled one has its poller, woken when something was written."""

from __future__ import annotations

import json
import logging
import threading

from local.event_pump.errors import NotSupported
from local.event_pump.patterns import compile_pattern
from local.event_pump.pump import Timeline
from local.queues.invoking import Functions
from local.streams.deployed import Mapping, Streams
from local.streams.poller import Poller, Send

_log = logging.getLogger(__name__)


class StreamPolling:
    """Plays the mappings that `streams` holds, on a timeline, real or virtual; `send` reaches destinations by ARN.

    `start` refuses what cannot be played. Call `wake` whenever a mapping may have changed or something may have been
    written: nothing is looked at in between, except when a batching window closes or a pause is over.
    """

    def __init__(self, timeline: Timeline, streams: Streams, functions: Functions, send: Send) -> None:
        self._timeline = timeline
        self._streams = streams
        self._functions = functions
        self._send = send
        self._pollers: dict[str, Poller] = {}
        self._refused: dict[str, Mapping] = {}
        self._started = False
        self._woken = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; raises NotSupported naming the first mapping that cannot be played."""
        for mapping in self._streams.mappings():
            check(mapping)
        self._started = True
        self.wake()

    def wake(self) -> None:
        """Look, soon and on the timeline, at what is deployed and what was written; callable from any thread."""
        with self._lock:
            if self._woken or not self._started:
                return
            self._woken = True
        self._timeline.call_at(self._timeline.clock.now(), self._look)

    def _look(self) -> None:
        with self._lock:
            self._woken = False  # what comes from now on is looked at again
        deployed = {each.id: each for each in self._streams.mappings() if each.enabled and self._is_playable(each)}
        for gone in set(self._pollers) - set(deployed):
            self._pollers.pop(gone).close()
        for identity, mapping in deployed.items():
            poller = self._pollers.get(identity)
            if poller is None:
                poller = Poller(self._timeline, self._streams, self._functions, self._send, mapping)
                self._pollers[identity] = poller
            poller.mapping = mapping
            poller.poll()

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
    name = f"the event source mapping {mapping.stream_arn} to {mapping.function_arn}"
    if mapping.unsupported:
        raise NotSupported(f"{name}: {', '.join(mapping.unsupported)}")
    try:
        for each in mapping.filters:
            compile_pattern(json.loads(each))
    except (NotSupported, ValueError) as error:
        raise NotSupported(f"{name}: the filter {error}") from None
