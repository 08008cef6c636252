"""Runs sagas as it is told on standard input: a JSON request a line, and a JSON answer a line on standard output.

    {"run": {"first": 0, "sagas": 100, "at_once": 16, "fail": ""}}  ->  {"seconds": 1.5, "milliseconds": [...]}
    {"begin": ["a", "b"]}                                           ->  {"begun": 2}
    {"finish": ["a", "b"]}                                          ->  {"finished": 2}

The first answer is {"ready": true}. It imports nothing but the standard library: every engine's environment has it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

FINISH_SECONDS = 60
ENDINGS = {"": "COMMITTED", "gcp": "ROLLED_BACK"}


class Saga(Protocol):
    """An engine, as the load sees it."""

    def run(self, saga: str, fail: str) -> str:
        """Run a saga to its end and return COMMITTED or ROLLED_BACK."""
        ...

    def begin(self, saga: str) -> None:
        """Start a saga and return at once."""
        ...

    def finish(self, saga: str) -> str:
        """Wait for a saga that was begun, by this process or by one before it; its end."""
        ...


class AsyncSaga(Protocol):
    """The same for an engine that lives in an event loop."""

    async def run(self, saga: str, fail: str) -> str:
        """Run a saga to its end."""
        ...

    async def begin(self, saga: str) -> None:
        """Start a saga."""
        ...

    async def finish(self, saga: str) -> str:
        """Wait for a saga."""
        ...


def _checked(saga: str, fail: str, end: str) -> None:
    if end != ENDINGS[fail]:
        raise RuntimeError(f"{saga} has ended {end}, not {ENDINGS[fail]}")


def _names(order: dict[str, Any]) -> Iterator[str]:
    return (f"s{number}" for number in range(order["first"], order["first"] + order["sagas"]))


def run_in_threads(engine: Saga, order: dict[str, Any]) -> dict[str, Any]:
    """Run an order's sagas, so many at once, each thread beginning the next when its last one has ended."""
    names, took, failed = _names(order), [], []
    lock = threading.Lock()

    def work() -> None:
        while not failed:
            with lock:
                saga = next(names, None)
            if saga is None:
                return
            began = time.perf_counter()
            try:
                _checked(saga, order["fail"], engine.run(saga, order["fail"]))
            except Exception as error:
                failed.append(error)
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(order["at_once"])]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _answer(began, took, failed)


async def run_in_tasks(engine: AsyncSaga, order: dict[str, Any]) -> dict[str, Any]:
    """The same in one event loop."""
    names, took, failed = _names(order), [], []

    async def work() -> None:
        for saga in names:
            began = time.perf_counter()
            try:
                _checked(saga, order["fail"], await engine.run(saga, order["fail"]))
            except Exception as error:
                failed.append(error)
                return
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(order["at_once"])))
    return _answer(began, took, failed)


def _answer(began: float, took: list[float], failed: list[Exception]) -> dict[str, Any]:
    if failed:
        raise failed[0]
    return {"seconds": time.perf_counter() - began, "milliseconds": [round(1000 * one, 3) for one in took]}


def _answers() -> Callable[[dict[str, Any]], None]:
    """Where answers go; whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda answer: print(json.dumps(answer), file=out)


def _orders() -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in sys.stdin)


def serve_threads(engine: Saga) -> None:
    """Take orders until standard input ends, then leave without ado."""
    answer = _answers()
    answer({"ready": True})
    for order in _orders():
        try:
            answer(_in_threads(engine, order))
        except Exception as error:
            answer({"error": repr(error)})
    os._exit(0)


def _in_threads(engine: Saga, order: dict[str, Any]) -> dict[str, Any]:
    if "run" in order:
        return run_in_threads(engine, order["run"])
    if "begin" in order:
        for saga in order["begin"]:
            engine.begin(saga)
        return {"begun": len(order["begin"])}
    return {"finished": sum(engine.finish(saga) == "COMMITTED" for saga in order["finish"])}


async def serve_tasks(engine: AsyncSaga) -> None:
    """The same for an engine in the running event loop."""
    answer, orders = _answers(), _orders()
    answer({"ready": True})
    while (order := await asyncio.to_thread(next, orders, None)) is not None:
        try:
            answer(await _in_tasks(engine, order))
        except Exception as error:
            answer({"error": repr(error)})
    os._exit(0)


async def _in_tasks(engine: AsyncSaga, order: dict[str, Any]) -> dict[str, Any]:
    if "run" in order:
        return await run_in_tasks(engine, order["run"])
    if "begin" in order:
        for saga in order["begin"]:
            await engine.begin(saga)
        return {"begun": len(order["begin"])}
    ends = [await asyncio.wait_for(engine.finish(saga), FINISH_SECONDS) for saga in order["finish"]]
    return {"finished": ends.count("COMMITTED")}
