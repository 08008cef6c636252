"""All event source mappings of a kind at work: each that is deployed and enabled has its poller."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from local.event_pump.errors import NotSupported
from local.event_pump.pump import Timeline

_log = logging.getLogger(__name__)


class EventSourceMapping(Protocol):
    """What every mapping has, whatever it is from."""

    @property
    def id(self) -> str:
        """Its UUID."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether it is to be played."""
        ...


M = TypeVar("M", bound=EventSourceMapping)


class MappingPoller(Protocol[M]):
    """One mapping at work; `mapping` may be changed between two polls."""

    mapping: M

    def poll(self) -> None:
        """Hand on what there is."""
        ...

    def close(self) -> None:
        """Hand on nothing any more."""
        ...


class MappingPolling(Generic[M]):
    """Plays the `mappings` that there are, each time it looks, on a timeline, real or virtual.

    `check` raises NotSupported for one that cannot be played, and `make` its poller. Call `wake` whenever a mapping may
    have changed or there may be something to hand on: nothing is looked at in between, except when a poller asks for
    it. `start` refuses what cannot be played; what comes later is left out, with a warning.
    """

    def __init__(
        self,
        timeline: Timeline,
        mappings: Callable[[], Sequence[M]],
        check: Callable[[M], None],
        make: Callable[[M], MappingPoller[M]],
    ) -> None:
        self._timeline = timeline
        self._mappings = mappings
        self._check = check
        self._make = make
        self._pollers: dict[str, MappingPoller[M]] = {}
        self._refused: dict[str, M] = {}
        self._started = False
        self._woken = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; raises NotSupported naming the first mapping that cannot be played."""
        for mapping in self._mappings():
            self._check(mapping)
        self._started = True
        self.wake()

    def wake(self) -> None:
        """Look, soon and on the timeline, at what is deployed and what there is; callable from any thread."""
        with self._lock:
            if self._woken or not self._started:
                return
            self._woken = True
        self._timeline.call_at(self._timeline.clock.now(), self._look)

    def _look(self) -> None:
        with self._lock:
            self._woken = False  # what comes from now on is looked at again
        deployed = {each.id: each for each in self._mappings() if each.enabled and self._is_playable(each)}
        for gone in set(self._pollers) - set(deployed):
            self._pollers.pop(gone).close()
        for identity, mapping in deployed.items():
            if identity not in self._pollers:
                self._pollers[identity] = self._make(mapping)
            self._pollers[identity].mapping = mapping
            self._pollers[identity].poll()

    def _is_playable(self, mapping: M) -> bool:
        try:
            self._check(mapping)
        except NotSupported as error:
            if self._refused.get(mapping.id) != mapping:
                _log.warning("not played: %s", error)
            self._refused[mapping.id] = mapping
            return False
        return True
