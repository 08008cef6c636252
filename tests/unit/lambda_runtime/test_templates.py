"""Workers of one module are forked from a process that has imported it, and cannot tell but by what it did once."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.foreground import descendants
from local.lambda_runtime.runtime import LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory, archive
from tests.unit.lambda_runtime.processes import assert_all_end

SOURCE = """
import os, random, time
IMPORTED_BY = os.getpid()
print("imported")
def one(event, context):
    time.sleep(event.get("seconds", 0))
    names = ("AWS_LAMBDA_FUNCTION_NAME", "_HANDLER", "GREETING")
    return {"by": IMPORTED_BY, "pid": os.getpid(), "parent": os.getppid(), "random": random.random(),
            "environment": [os.environ.get(name) for name in names], "bytes": os.environb[b"_HANDLER"].decode()}
two = one
"""


def call(runtime: LambdaRuntime, name: str, **event: Any) -> dict[str, Any]:
    result = runtime.invoke(name, json.dumps(event).encode())
    assert result.function_error is None, result.payload
    return dict(json.loads(result.payload))


def at_once(runtime: LambdaRuntime, name: str, count: int) -> list[dict[str, Any]]:
    """Call so often at the same time that each call needs a worker of its own."""
    answers: list[dict[str, Any]] = []
    callers = [threading.Thread(target=lambda: answers.append(call(runtime, name, seconds=0.6))) for _ in range(count)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    return answers


def test_handlers_of_one_module_have_its_import_in_common_and_nothing_else(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    for handler in ("one", "two"):
        deployments.deploy(
            handler, f"app.{handler}", code=archive({"app.py": SOURCE}), environment={"GREETING": f"hello {handler}"}
        )
    answers = [call(runtime, name) for name in ("one", "two")]
    assert len({it["by"] for it in answers}) == 1
    assert len({it["pid"] for it in answers} | {answers[0]["by"]}) == 3
    assert [it["bytes"] for it in answers] == ["app.one", "app.two"]
    assert [it["environment"] for it in answers] == [[it, f"app.{it}", f"hello {it}"] for it in ("one", "two")]


def test_workers_of_one_function_draw_numbers_of_their_own(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("one", "app.one", code=archive({"app.py": SOURCE}))
    answers = at_once(runtime, "one", 3)
    assert len({it["by"] for it in answers}) == 1
    assert len({it["pid"] for it in answers}) == len({it["random"] for it in answers}) == 3


@pytest.mark.parametrize("reads", ["os.environ['GREETING']", "os.getenv('GREETING')", "dict(os.environ)"])
def test_what_the_import_reads_of_the_environment_is_the_functions_own(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, reads: str
) -> None:
    source = SOURCE + f"\nREAD = {reads}\ndef read(event, context): return [READ, IMPORTED_BY]"
    for name, greeting in (("one", "hello"), ("two", "goodbye"), ("three", "hello")):
        code = archive({"app.py": source})
        deployments.deploy(name, "app.read", code=code, environment={"GREETING": greeting, "OTHER": name})
    answers = [json.loads(runtime.invoke(name, b"{}").payload) for name in ("one", "two", "three")]
    greetings = [it["GREETING"] if isinstance(it, dict) else it for it, _ in answers]
    assert greetings == ["hello", "goodbye", "hello"]
    shared = [by for _, by in answers]
    assert (shared[0] == shared[2]) == (reads != "dict(os.environ)")


def test_a_module_learns_that_it_is_imported_by_the_collectors_first_look(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    source = """
import gc, os
gc.set_threshold(1_000_000)
LOOKED = []
gc.callbacks.append(lambda phase, found: LOOKED.append((phase, found["generation"], os.getpid())))
def looked(event, context): return [LOOKED, os.getppid(), gc.get_freeze_count() > 1000]
"""
    deployments.deploy("looked", "app.looked", code=archive({"app.py": source}))
    looked, template, frozen = json.loads(runtime.invoke("looked", b"{}").payload)
    assert looked == [["start", 0, template], ["stop", 0, template]]
    assert frozen


def test_each_log_has_what_the_import_prints(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        deployments.deploy(name, f"app.{name}", code=archive({"app.py": SOURCE}))
        call(runtime, name)
        assert runtime.last_log_lines(name)[0].endswith("imported")


@pytest.mark.parametrize("import_anew", [False, True])
def test_the_import_finds_lambdas_logging_set_up_and_so_does_the_call(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory, import_anew: bool
) -> None:
    source = """
import logging
FOUND = [type(it).__name__ for it in logging.getLogger().handlers]
logging.getLogger().setLevel("INFO")
def log(event, context):
    logging.info("said once")
    return [FOUND, [type(it).__name__ for it in logging.getLogger().handlers]]
"""
    deployments.deploy("log", "app.log", code=archive({"app.py": source}))
    runtime = start_runtime(import_anew=import_anew)
    result = runtime.invoke("log", b"{}")
    assert json.loads(result.payload) == [["LambdaLoggerHandler"], ["LambdaLoggerHandler"]]
    assert result.log_tail.count(b"said once") == 1


@pytest.mark.parametrize(
    "peculiar",
    ["import threading; threading.Thread(target=time.sleep, args=[60], daemon=True).start()", "time.sleep(0.5)"],
)
def test_where_the_import_cannot_be_shared_each_worker_imports(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, monkeypatch: pytest.MonkeyPatch, peculiar: str
) -> None:
    monkeypatch.setattr("local.lambda_runtime.templates.INIT_SECONDS", 0.3)
    for name in ("one", "two"):
        deployments.deploy(name, f"app.{name}", code=archive({"app.py": f"{SOURCE}\n{peculiar}"}))
        answer = call(runtime, name)
        assert answer["by"] == answer["pid"]


def test_every_worker_imports_anew_where_that_is_wanted(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("one", "app.one", code=archive({"app.py": SOURCE}))
    answers = at_once(start_runtime(import_anew=True), "one", 2)
    assert all(it["by"] == it["pid"] for it in answers)


def test_one_that_is_killed_takes_nobodys_calls_along(runtime: LambdaRuntime, deployments: DeploymentsInMemory) -> None:
    deployments.deploy("one", "app.one", code=archive({"app.py": SOURCE}))
    before = call(runtime, "one")
    os.kill(before["by"], signal.SIGKILL)
    assert_all_end({before["by"]})
    after = call(runtime, "one")
    assert after["by"] != before["by"]
    assert after["pid"] != before["pid"]
    assert_all_end({before["pid"]})


def test_it_leaves_when_no_function_has_its_code_any_more(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    for name in ("one", "two"):
        deployments.deploy(name, f"app.{name}", code=archive({"app.py": SOURCE}))
    old = {call(runtime, name)["by"] for name in ("one", "two")}
    deployments.deploy("one", "app.one", code=archive({"app.py": SOURCE + "\n"}))
    new = call(runtime, "one")["by"]
    assert old | {new} <= set(descendants(os.getpid()))
    deployments.deploy("two", "app.two", code=archive({"app.py": SOURCE + "\n"}))
    assert call(runtime, "two")["by"] == new
    assert_all_end(old)


def test_a_worker_that_was_forked_just_now_is_gone_when_the_runtime_is_closed(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    slow = "import os, time\nos.register_at_fork(after_in_child=lambda: time.sleep(20))"
    deployments.deploy("one", "app.one", code=archive({"app.py": f"{SOURCE}\n{slow}"}))
    before = set(descendants(os.getpid()))
    warming = threading.Thread(target=runtime.warm, args=(["one"],))
    warming.start()
    deadline = time.monotonic() + 10
    while len(started := set(descendants(os.getpid())) - before) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    closing = threading.Thread(target=runtime.close)
    closing.start()
    closing.join(5)
    warming.join(5)
    assert not closing.is_alive()
    assert not warming.is_alive()
    assert_all_end(started)
