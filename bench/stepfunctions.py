"""How fast the Step Functions engine is, beside moto's interpreter: the same definitions, the same no-op handlers."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws
from moto.awslambda.models import LambdaFunction
from moto.core import DEFAULT_ACCOUNT_ID
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from bench.figure import Figure, compared, least, limited, plain, typical
from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.server import StepFunctionsServer

REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}
ROLE = "arn:aws:iam::123456789012:role/bench"
INPUT = json.dumps({"items": [1, 2, 3]})
INVOKE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "noop", "Payload": {"item.$": "$"}},
}
PASS = {"Type": "Pass"}


def fan_out(step: dict[str, Any]) -> str:
    """A small saga: Pass, a Map of `step` over three items, Choice, Succeed."""
    return json.dumps(
        {
            "StartAt": "Begin",
            "States": {
                "Begin": {"Type": "Pass", "Parameters": {"items.$": "$.items"}, "Next": "Provision"},
                "Provision": {
                    "Type": "Map",
                    "ItemsPath": "$.items",
                    "ResultPath": "$.outcomes",
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "Create",
                        "States": {"Create": {**step, "End": True}},
                    },
                    "Next": "Decide",
                },
                "Decide": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.outcomes[0]", "IsPresent": True, "Next": "Done"}],
                    "Default": "Failed",
                },
                "Done": {"Type": "Succeed"},
                "Failed": {"Type": "Fail"},
            },
        }
    )


def row(step: dict[str, Any], length: int) -> str:
    """`length` times the same step, one after the other, and Succeed."""
    states: dict[str, Any] = {f"S{number}": {**step, "Next": f"S{number + 1}"} for number in range(length)}
    return json.dumps({"StartAt": "S0", "States": {**states, f"S{length}": {"Type": "Succeed"}}})


def noop(name: str, payload: bytes) -> LambdaResult:
    """Answers at once."""
    return LambdaResult(b"{}")


def per_second(executions: int, run_one: Callable[[int], str]) -> float:
    """Executions per second, one after the other; `run_one(number)` returns the status that it ended with."""
    began = time.perf_counter()
    for number in range(executions):
        status = run_one(number)
        if status != "SUCCEEDED":
            raise RuntimeError(f"an execution has {status}")
    return executions / (time.perf_counter() - began)


def ours(definition: str, executions: int) -> float:
    """Executions per second of the engine in real time, by its own methods."""
    engine = Engine(lambda_invoke=noop)
    machine = engine.create_state_machine("bench", definition)

    def run_one(number: int) -> str:
        arn = engine.start_execution(machine, INPUT)
        _await_end(engine, arn)
        return engine.execution(arn).status

    try:
        return per_second(executions, run_one)
    finally:
        engine.close()


def ours_in_virtual_time(definition: str, executions: int) -> float:
    """Executions per second of the engine in virtual time, as tests run it."""
    engine = Engine(clock=VirtualClock(), lambda_invoke=noop)
    machine = engine.create_state_machine("bench", definition)

    def run_one(number: int) -> str:
        execution = engine.execution(engine.start_execution(machine, INPUT))
        engine.run()
        return execution.status

    return per_second(executions, run_one)


@contextmanager
def moto() -> Iterator[Any]:
    """Moto with its interpreter, its Lambda replaced by the same no-op; yields the Step Functions backend object."""
    LambdaFunction._invoke_lambda = lambda self, event=None: ("{}", False, "")
    os.environ.update(KEYS)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": True}}):
        _create_noop()
        yield stepfunctions_parser_backends[DEFAULT_ACCOUNT_ID][REGION]


def _create_noop() -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam", REGION).create_role(RoleName="bench", AssumeRolePolicyDocument=policy)
    boto3.client("lambda", REGION).create_function(
        FunctionName="noop",
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="h.h",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )


def motos(definition: str, executions: int) -> float:
    """Executions per second of moto's interpreter, by its backend object's methods."""
    with moto() as backend:
        machine = backend.create_state_machine(name="bench", definition=definition, roleArn=ROLE).arn

        def run_one(number: int) -> str:
            execution = backend.start_execution(machine, f"n{number}", INPUT)
            while (status := execution.exec_status or ExecutionStatus.RUNNING) is ExecutionStatus.RUNNING:
                time.sleep(0.0002)
            return str(status.value)

        return per_second(executions, run_one)


def by_client(client: Any, definition: str, executions: int) -> float:
    """Executions per second as a boto3 client sees them: it starts one and asks every 2 ms whether it has ended."""
    machine = client.create_state_machine(name="client", definition=definition, roleArn=ROLE)["stateMachineArn"]

    def run_one(number: int) -> str:
        arn = client.start_execution(stateMachineArn=machine, input=INPUT, name=f"n{number}")["executionArn"]
        while (status := client.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            time.sleep(0.002)
        return str(status)

    return per_second(executions, run_one)


@contextmanager
def served() -> Iterator[tuple[Engine, Any]]:
    """An engine on HTTP in real time, and a boto3 client of it."""
    engine = Engine(lambda_invoke=noop)
    server = StepFunctionsServer(engine, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update(KEYS)
    yield engine, boto3.client("stepfunctions", REGION, endpoint_url=server.url)
    server.shutdown()
    engine.close()


def _await_end(engine: Engine, arn: str) -> None:
    execution = engine.execution(arn)
    engine.wait(lambda: not execution.running, 120)
    if execution.status != "SUCCEEDED":
        raise RuntimeError(f"{arn} is {execution.status}: {execution.cause}")


def micros(step: dict[str, Any], length: int, executions: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Microseconds by `clock` that one of `length` states takes, from the first start until the last execution ends."""
    with served() as (engine, client):
        arguments = {"name": "row", "definition": row(step, length), "roleArn": ROLE}
        machine = client.create_state_machine(**arguments)["stateMachineArn"]
        client.start_execution(stateMachineArn=machine)
        began = clock()
        arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(executions)]
        for arn in arns:
            _await_end(engine, arn)
        seconds = clock() - began
        return seconds / executions / length * 1e6


def figures() -> list[Figure]:
    """Every figure with its goal."""
    tasks, no_tasks = fan_out(INVOKE), fan_out(PASS)
    with served() as (_, client):
        client_ours = typical(lambda: by_client(client, tasks, 200), 1)
    with moto():
        client_moto = by_client(boto3.client("stepfunctions", REGION), tasks, 20)
    how = "7 states, 3 of them no-op tasks, one execution after the other in real time"
    cost = (
        "the least of 5 runs, each from the first StartExecution by boto3 on HTTP until the last execution has ended, "
        "in real time, divided by the states"
    )
    task_cost = f"lambda:invoke of a no-op on the engine's pool; {cost}"
    return [
        compared(
            "stepfunctions executions",
            typical(lambda: ours(tasks, 300)),
            "1/s",
            ("moto", motos(tasks, 20)),
            50,
            f"{how}; both engines by their own Python methods, moto's tasks call its Lambda as it does: through boto3",
        ),
        compared(
            "stepfunctions executions without tasks",
            typical(lambda: ours(no_tasks, 300)),
            "1/s",
            ("moto", motos(no_tasks, 30)),
            None,
            "the same with Pass in place of the tasks",
        ),
        compared(
            "stepfunctions executions by boto3",
            client_ours,
            "1/s",
            ("moto", client_moto),
            None,
            f"{how}; boto3 starts and polls every 2 ms: ours on HTTP, moto in the client's own process",
        ),
        plain(
            "stepfunctions executions in virtual time",
            typical(lambda: ours_in_virtual_time(tasks, 500)),
            "1/s",
            "the same definition, as tests run it",
        ),
        limited("stepfunctions per state", least(lambda: micros(PASS, 200, 30)), "us", 200, f"Pass; {cost}"),
        limited("stepfunctions per task", least(lambda: micros(INVOKE, 100, 20)), "us", 200, task_cost),
        limited(
            "stepfunctions processor time per task",
            least(lambda: micros(INVOKE, 100, 20, time.process_time)),
            "us",
            200,
            f"{task_cost}; client, server and engine together",
        ),
    ]
