"""Invoke as Lambda documents it, on real worker processes."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local.lambda_runtime.errors import (
    FunctionNotFound,
    InvalidParameterValue,
    InvalidRequestContent,
    InvalidRuntime,
    RequestTooLarge,
    TooManyRequests,
)
from local.lambda_runtime.runtime import InvocationResult, LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory, archive

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def call(runtime: LambdaRuntime, name: str, event: object = None, qualifier: str | None = None) -> Any:
    """Invoke and return the decoded payload of a call that must succeed."""
    result = runtime.invoke(name, json.dumps(event).encode(), qualifier)
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def failure(result: InvocationResult) -> tuple[str, str]:
    assert result.function_error == "Unhandled"
    error = json.loads(result.payload)
    return error["errorType"], error["errorMessage"]


def await_lines(path: Path, count: int) -> list[str]:
    """Wait until handlers have written `count` lines to `path`."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and len(lines := path.read_text().split()) >= count:
            return lines
        time.sleep(0.005)
    raise AssertionError(f"{path} has fewer than {count} lines")


def test_a_result_carries_payload_version_and_the_log_of_the_call(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("chatter", "app.chatter")
    result = runtime.invoke("chatter", b"{}")
    assert (result.payload, result.function_error, result.executed_version) == (b"null", None, "$LATEST")
    lines = result.log_tail.decode().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["START", "line", "", "last", "END", "REPORT"]
    assert "Init Duration" in lines[-1]


def test_the_log_tail_is_the_last_four_kib_and_the_file_has_everything(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("chatter", "app.chatter")
    result = runtime.invoke("chatter", b'{"size": 300000}')
    assert len(result.log_tail) == 4096
    assert len(runtime.last_log_lines("chatter", 4)[0]) == 300_000


def test_a_warm_call_reuses_its_process_and_costs_less_than_a_millisecond_and_a_half(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("identity", "app.identity")
    first = call(runtime, "identity")["pid"]
    durations = []
    for _ in range(200):
        started = time.perf_counter()
        assert call(runtime, "identity")["pid"] == first
        durations.append(time.perf_counter() - started)
    assert sorted(durations)[100] < 0.0015


def test_a_handler_sees_the_deployed_environment_lambdas_own_and_what_is_put_over_it(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONAL_TOKEN", "not for functions")
    deployments.deploy(
        "environment", "app.environment", environment={"TABLE": "ledger", "ENDPOINT": "deployed"}, memory=512
    )
    runtime = start_runtime(worker_environment={"ENDPOINT": "http://127.0.0.1:1"})
    names = [
        "TABLE",
        "ENDPOINT",
        "AWS_REGION",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "PERSONAL_TOKEN",
    ]
    assert call(runtime, "environment", names) == {
        "TABLE": "ledger",
        "ENDPOINT": "http://127.0.0.1:1",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "environment",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "PERSONAL_TOKEN": None,
    }


def test_a_function_error_has_the_bare_class_name_and_the_request_id(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("fail", "app.fail")
    result = runtime.invoke("fail", b"{}")
    assert failure(result) == ("RetryableError", "try again")
    assert json.loads(result.payload)["requestId"] in result.log_tail.decode()


def test_a_timeout_kills_the_worker_and_reads_as_on_aws(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("nap", "app.nap", timeout=1)
    started = time.monotonic()
    error_type, message = failure(runtime.invoke("nap", b'{"seconds": 30}'))
    assert time.monotonic() - started < 3
    assert error_type == "Sandbox.Timedout"
    assert message.startswith("RequestId: ")
    assert message.endswith(" Error: Task timed out after 1.00 seconds")
    assert call(runtime, "nap", {"seconds": 0}) > 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0, "Runtime exited without providing a reason"), (3, "Runtime exited with error: exit status 3")],
)
def test_an_exit_is_a_runtime_error(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, code: int, reason: str
) -> None:
    deployments.deploy("leave", "app.leave")
    error_type, message = failure(runtime.invoke("leave", json.dumps({"code": code}).encode()))
    assert error_type == "Runtime.ExitError"
    assert message.endswith(f" Error: {reason}")


def test_a_worker_killed_in_the_middle_of_a_call_ends_it_with_an_exit_error(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    deployments.deploy("nap", "app.nap", timeout=30)
    results: list[InvocationResult] = []
    event = json.dumps({"seconds": 20, "started": str(tmp_path / "started")}).encode()
    caller = threading.Thread(target=lambda: results.append(runtime.invoke("nap", event)))
    caller.start()
    await_lines(tmp_path / "started", 1)
    assert runtime.kill("nap")
    caller.join(5)
    error_type, message = failure(results[0])
    assert error_type == "Runtime.ExitError"
    assert message.endswith("signal: killed")
    assert not runtime.kill("nap")


def test_a_worker_that_dies_between_calls_costs_no_call(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("leave_later", "app.leave_later")
    first = call(runtime, "leave_later")
    time.sleep(0.15)
    assert call(runtime, "leave_later") != first


@pytest.mark.parametrize(
    ("files", "error_type", "message"),
    [
        ({"other.py": ""}, "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'app'"),
        (
            {"app.py": "import moto"},
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'moto'",
        ),
        ({"app.py": "echo ="}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ({"app.py": ""}, "Runtime.HandlerNotFound", "Handler 'echo' missing on module 'app'"),
        ({"app.py": "raise ValueError('at import')"}, "ValueError", "at import"),
        ({"app.py": "import os; os._exit(9)"}, "Runtime.ExitError", "exit status 9"),
    ],
)
def test_a_function_that_cannot_start_says_why(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, files: dict[str, str], error_type: str, message: str
) -> None:
    deployments.deploy("broken", code=archive(files))
    for _ in range(2):
        actual_type, actual_message = failure(runtime.invoke("broken", b"{}"))
        assert actual_type == error_type
        assert message in actual_message


def test_dependencies_come_from_the_bundle_then_the_last_layer_then_lambdas_image(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    source = "import dependency, other, boto3\ndef handler(event, context): return [dependency.ORIGIN, other.ORIGIN]"
    deployments.deploy(
        "layered",
        "app.handler",
        code=archive({"app.py": source, "dependency.py": "ORIGIN = 'bundle'"}),
        layers=(
            archive({"python/dependency.py": "ORIGIN = 'first layer'", "python/other.py": "ORIGIN = 'first layer'"}),
            archive({"python/lib/python3.11/site-packages/other.py": "ORIGIN = 'last layer'"}),
        ),
    )
    assert call(runtime, "layered") == ["bundle", "last layer"]


def test_a_response_over_six_megabytes_is_refused_and_the_next_call_works(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("large", "app.large")
    error_type, message = failure(runtime.invoke("large", b'{"size": 6291600}'))
    assert error_type == "Function.ResponseSizeTooLarge"
    assert "6291556 bytes" in message
    assert len(call(runtime, "large", {"size": 5_000_000})) == 5_000_000


def test_a_request_that_lambda_would_refuse_reaches_no_code(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("echo")
    deployments.deploy("java", runtime="java21")
    with pytest.raises(RequestTooLarge):
        runtime.invoke("echo", b'"' + b"x" * 6_291_456 + b'"')
    with pytest.raises(InvalidRequestContent):
        runtime.invoke("echo", b"{not json")
    with pytest.raises(FunctionNotFound):
        runtime.invoke("unknown", b"{}")
    with pytest.raises(FunctionNotFound):
        runtime.invoke("echo", b"{}", "7")
    with pytest.raises(InvalidParameterValue):
        runtime.invoke("echo:1", b"{}", "2")
    with pytest.raises(InvalidRuntime):
        runtime.invoke("java", b"{}")
    assert runtime.last_log_lines("echo") == []


@pytest.mark.parametrize("name", ["echo", "123456789012:function:echo", ARN + "echo", "function:echo"])
def test_a_function_is_found_by_every_form_of_its_name(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, name: str
) -> None:
    deployments.deploy("echo")
    assert call(runtime, name, "here") == "here"


def test_a_version_keeps_its_code_and_environment_when_latest_moves_on(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    source = "import os\ndef handler(event, context): return ['{}', os.environ['SETTING'], context.function_version]"
    old = {"code": archive({"app.py": source.format("old")}), "environment": {"SETTING": "1"}}
    deployments.deploy("f", "app.handler", **old)
    deployments.deploy("f", "app.handler", version="1", **old)
    assert call(runtime, "f") == ["old", "1", "$LATEST"]
    deployments.deploy("f", "app.handler", code=archive({"app.py": source.format("new")}), environment={"SETTING": "2"})
    assert call(runtime, "f") == ["new", "2", "$LATEST"]
    assert call(runtime, "f", qualifier="1") == call(runtime, ARN + "f:1") == ["old", "1", "1"]


def test_an_alias_spreads_calls_by_weight_and_shows_in_the_invoked_arn(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory
) -> None:
    for version in ("1", "2"):
        deployments.deploy("f", "app.identity", version=version)
    deployments.alias("f", "live", [("1", 0.9), ("2", 0.1)])
    runtime = start_runtime(random=Random(7))  # noqa: S311
    answers = [call(runtime, "f", qualifier="live") for _ in range(100)]
    assert {answer["arn"] for answer in answers} == {ARN + "f:live"}
    assert 2 <= Counter(answer["version"] for answer in answers)["2"] <= 25


def test_concurrent_calls_get_workers_of_their_own_up_to_the_limit_and_then_wait(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("nap", "app.nap")
    runtime = start_runtime(max_workers=2)
    pids: list[int] = []
    callers = [threading.Thread(target=lambda: pids.append(call(runtime, "nap", {"seconds": 0.1}))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert len(pids) == 4
    assert len(set(pids)) == 2


def test_a_call_over_the_reserved_concurrency_is_throttled(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    deployments.deploy("nap", "app.nap", reserved_concurrency=1)
    event = json.dumps({"seconds": 20, "started": str(tmp_path / "started")}).encode()
    caller = threading.Thread(target=lambda: runtime.invoke("nap", event))
    caller.start()
    await_lines(tmp_path / "started", 1)
    with pytest.raises(TooManyRequests) as refusal:
        runtime.invoke("nap", b'{"seconds": 0}')
    assert refusal.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    runtime.kill("nap")
    caller.join(5)


def test_warmed_functions_have_initialized_before_their_first_call(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    source = """
import os, time
INITIALIZED = time.time()
open(os.environ["STARTED"], "a").write(os.environ["AWS_LAMBDA_FUNCTION_NAME"] + "\\n")
def handler(event, context): return INITIALIZED
"""
    for name in ("one", "two"):
        environment = {"STARTED": str(tmp_path / "started")}
        deployments.deploy(name, "app.handler", code=archive({"app.py": source}), environment=environment)
    runtime.warm(["one", "two"])
    called = time.time()
    assert len(await_lines(tmp_path / "started", 2)) == 2
    assert all(call(runtime, name) < called for name in ("one", "two"))
    assert len(await_lines(tmp_path / "started", 2)) == 2


def test_functions_are_warmed_one_after_the_other(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    source = """
import os, time
def say(): open(os.environ["STARTED"], "a").write(os.environ["AWS_LAMBDA_FUNCTION_NAME"] + "\\n")
say()
time.sleep(0.2)
say()
def handler(event, context): pass
"""
    for name in ("one", "two", "three"):
        environment = {"STARTED": str(tmp_path / "started")}
        deployments.deploy(name, "app.handler", code=archive({"app.py": source}), environment=environment)
    runtime.warm(["one", "two", "three"])
    assert await_lines(tmp_path / "started", 6) == ["one", "one", "two", "two", "three", "three"]


def test_a_function_that_is_called_while_it_is_warmed_is_started_once(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path
) -> None:
    source = """
import os, time
open(os.environ["STARTED"], "a").write("started\\n")
time.sleep(0.3)
def handler(event, context): return "here"
"""
    environment = {"STARTED": str(tmp_path / "started")}
    deployments.deploy("one", "app.handler", code=archive({"app.py": source}), environment=environment)
    warming = threading.Thread(target=lambda: runtime.warm(["one"]))
    warming.start()
    await_lines(tmp_path / "started", 1)
    assert call(runtime, "one") == "here"
    warming.join(5)
    assert not warming.is_alive()
    assert await_lines(tmp_path / "started", 1) == ["started"]


def test_warming_does_not_wait_for_a_function_that_cannot_start(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory
) -> None:
    deployments.deploy("broken", "app.handler", code=archive({"app.py": "import os\nos._exit(1)"}))
    began = time.monotonic()
    runtime.warm(["broken"])
    assert time.monotonic() - began < 5


def test_workers_yield_the_processors_as_they_are_told(
    start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory
) -> None:
    source = "import os\ndef handler(event, context): return os.nice(0)"
    for name in ("one", "other"):
        deployments.deploy(name, "app.handler", code=archive({"app.py": source}))
    runtime = start_runtime(niceness=lambda name: 10 if name == "other" else 0)
    own = os.nice(0)
    assert [call(runtime, name) for name in ("one", "other")] == [own, max(own, 10)]


def test_a_function_warmed_long_before_its_first_call_still_has_all_its_time(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import os\nopen(os.environ['STARTED'], 'w').write('started')\ndef handler(event, context): return 'here'"
    environment = {"STARTED": str(tmp_path / "started")}
    deployments.deploy("one", "app.handler", code=archive({"app.py": source}), environment=environment)
    runtime.warm(["one"])
    await_lines(tmp_path / "started", 1)
    time.sleep(0.2)  # until it asks for its first event
    with monkeypatch.context() as patch:
        patch.setattr("local.lambda_runtime.worker.INIT_SECONDS", -60)  # as if it had been warmed a minute ago
        result = runtime.invoke("one", b"{}")
    assert result.payload == b'"here"'
    assert b"Init Duration" not in result.log_tail


def test_dry_run_checks_the_function_and_runs_nothing(runtime: LambdaRuntime, deployments: DeploymentsInMemory) -> None:
    deployments.deploy("echo")
    assert runtime.invoke("echo", b"{}", invocation_type="DryRun").payload == b""
    assert runtime.last_log_lines("echo") == []
    with pytest.raises(FunctionNotFound):
        runtime.invoke("unknown", b"{}", invocation_type="DryRun")


def test_a_bundle_is_unpacked_once_by_its_content(
    runtime: LambdaRuntime, deployments: DeploymentsInMemory, cache_dir: Path
) -> None:
    function = deployments.deploy("echo")
    deployments.deploy("second")
    call(runtime, "echo")
    call(runtime, "second")
    assert base64.b16decode(function.code.sha256, casefold=True)
    assert (cache_dir / "tasks" / function.code.sha256 / "app.py").is_file()
    assert not list((cache_dir / "tasks").glob(".partial-*"))
