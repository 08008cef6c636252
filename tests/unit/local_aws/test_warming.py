"""In which order functions are started ahead of their first calls, and how many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from queue import SimpleQueue
from threading import Event

from local.warming import Warming

SOON = 5.0


class Runtime:
    """Starts what it is told, each once the one before it may be done."""

    def __init__(self) -> None:
        self.started: SimpleQueue[str] = SimpleQueue()
        self.ended: SimpleQueue[None] = SimpleQueue()
        self._done = Event()

    def warm(self, names: Iterable[str]) -> None:
        for name in names:
            self.started.put(name)
            self.ended.get(timeout=SOON)
        self._done.set()

    def one_ends(self) -> None:
        self.ended.put(None)

    def next_started(self) -> str:
        return self.started.get(timeout=SOON)

    def await_done(self) -> None:
        assert self._done.wait(SOON)


def test_what_is_needed_first_is_started_first_however_late_it_is_deployed() -> None:
    runtime, deployed = Runtime(), ["saga", "check", "create"]
    warming = Warming(runtime, lambda: list(deployed))

    warming.go_on()
    assert runtime.next_started() == "saga"
    deployed.insert(1, "api")
    warming.go_on()
    assert runtime.next_started() == "api"
    runtime.one_ends()
    assert runtime.next_started() == "check"
    runtime.one_ends()
    assert runtime.next_started() == "create"
    runtime.one_ends()
    runtime.one_ends()
    runtime.await_done()
    assert runtime.started.empty()


def test_one_more_is_started_at_a_time_whenever_it_is_to_go_on() -> None:
    runtime = Runtime()
    warming = Warming(runtime, lambda: ["one", "two", "three"])

    warming.go_on()
    warming.go_on()
    assert {runtime.next_started(), runtime.next_started()} == {"one", "two"}
    assert runtime.started.empty()
    runtime.one_ends()
    assert runtime.next_started() == "three"
    warming.close()
    runtime.one_ends()
    runtime.one_ends()


def test_nothing_is_started_any_more_once_it_is_closed() -> None:
    runtime = Runtime()
    warming = Warming(runtime, lambda: ["one", "two"])

    warming.go_on()
    assert runtime.next_started() == "one"
    warming.close()
    runtime.one_ends()
    runtime.await_done()
    assert runtime.started.empty()


def test_what_can_wait_is_done_when_all_that_was_to_be_started_has_initialized() -> None:
    runtime, done = Runtime(), Event()
    warming = Warming(runtime, lambda: ["one", "two"])

    warming.go_on()
    warming.afterwards(done.set)
    assert runtime.next_started() == "one"
    runtime.one_ends()
    assert runtime.next_started() == "two"
    assert not done.wait(0.1)
    runtime.one_ends()
    assert done.wait(SOON)
