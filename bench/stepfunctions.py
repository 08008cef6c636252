"""The Step Functions engine beside moto's interpreter: one run, the same definition, the same no-op handlers.

python -m bench.stepfunctions            prints the figures as JSON, exit 1 when a goal is missed
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.awslambda.models import LambdaFunction

from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.server import StepFunctionsServer

ROLE = "arn:aws:iam::123456789012:role/bench"
ITEMS = [1, 2, 3]
Figure = dict[str, Any]

DEFINITION: dict[str, Any] = {
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
                "States": {
                    "Create": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "Parameters": {"FunctionName": "noop", "Payload": {"item.$": "$"}},
                        "ResultSelector": {"payload.$": "$.Payload"},
                        "End": True,
                    }
                },
            },
            "Next": "Decide",
        },
        "Decide": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.outcomes[0].payload", "IsPresent": True, "Next": "Done"}],
            "Default": "Failed",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail"},
    },
}
STATES = 4 + len(ITEMS)
INPUT = json.dumps({"items": ITEMS})


def noop(name: str, payload: bytes) -> LambdaResult:
    """Answers at once."""
    return LambdaResult(b"{}")


def ours_per_second(executions: int = 2000) -> float:
    """Executions per second through the JSON API, in virtual time: start, run, describe."""
    engine = Engine(clock=VirtualClock(), lambda_invoke=noop)
    arn = engine.create_state_machine("bench", DEFINITION)
    start = json.dumps({"stateMachineArn": arn, "input": INPUT}).encode()
    began = time.perf_counter()
    for _ in range(executions):
        _, answer = engine.handle("AWSStepFunctions.StartExecution", start)
        engine.run()
        described = {"executionArn": json.loads(answer)["executionArn"]}
        _, body = engine.handle("AWSStepFunctions.DescribeExecution", json.dumps(described).encode())
        if json.loads(body)["status"] != "SUCCEEDED":
            raise RuntimeError(body.decode())
    return executions / (time.perf_counter() - began)


def moto_per_second(executions: int = 30) -> float:
    """Executions per second of moto's interpreter through boto3, its Lambda replaced by the same no-op."""
    LambdaFunction._invoke_lambda = lambda self, event=None: ("{}", False, "")
    os.environ.update({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"})
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": True}}):
        client = boto3.client("stepfunctions", "us-east-1")
        _create_noop()
        arn = client.create_state_machine(name="bench", definition=json.dumps(DEFINITION), roleArn=ROLE)[
            "stateMachineArn"
        ]
        began = time.perf_counter()
        for number in range(executions):
            started = client.start_execution(stateMachineArn=arn, input=INPUT, name=f"n{number}")["executionArn"]
            while (described := client.describe_execution(executionArn=started))["status"] == "RUNNING":
                time.sleep(0.002)
            if described["status"] != "SUCCEEDED":
                raise RuntimeError(described.get("cause"))
        return executions / (time.perf_counter() - began)


def _create_noop() -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    role = boto3.client("iam", "us-east-1").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(policy))
    boto3.client("lambda", "us-east-1").create_function(
        FunctionName="noop",
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="h.h",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )


def microseconds_per_state(executions: int = 300) -> float:
    """What a state costs of a real-time execution, with boto3 on HTTP and functions on the engine's pool."""
    engine = Engine(lambda_invoke=noop)
    server = StepFunctionsServer(engine, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "stepfunctions",
        "us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - a local endpoint takes any
        config=Config(max_pool_connections=2),
    )
    states: dict[str, Any] = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(200)}
    states["S200"] = {"Type": "Succeed"}
    long = json.dumps({"StartAt": "S0", "States": states})
    arn = client.create_state_machine(name="long", definition=long, roleArn=ROLE)["stateMachineArn"]
    client.start_execution(stateMachineArn=arn)
    began = time.perf_counter()
    for _ in range(executions // 10):
        client.start_execution(stateMachineArn=arn)
    seconds = time.perf_counter() - began
    server.shutdown()
    engine.close()
    return seconds / (executions // 10) / 201 * 1e6


def idle_megabytes(executions: int = 10_000) -> float:
    """How much memory that many waiting executions take."""
    engine = Engine(clock=VirtualClock(), lambda_invoke=noop)
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": True}}}
    arn = engine.create_state_machine("idle", wait)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(executions):
        engine.start_execution(arn, {"number": number})
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def figures() -> list[Figure]:
    """Every figure with its goal, in the shape of bench/results.json."""
    idle = idle_megabytes()
    ours, moto = ours_per_second(), moto_per_second()
    per_state = microseconds_per_state()
    return [
        {
            "name": "stepfunctions executions",
            "value": round(ours, 1),
            "unit": "1/s",
            "goal": "50 times moto's",
            "met": ours >= 50 * moto,
            "peer": {"moto": round(moto, 2)},
            "ratio": round(ours / moto, 1),
            "method": f"{STATES} states, {len(ITEMS)} no-op tasks; ours: JSON API, virtual time; moto: boto3",
        },
        {
            "name": "stepfunctions overhead per state",
            "value": round(per_state, 1),
            "unit": "us",
            "goal": 200,
            "met": per_state < 200,
            "peer": None,
            "ratio": None,
            "method": "StartExecution with boto3 on HTTP, 201 states in real time, divided by the states",
        },
        {
            "name": "stepfunctions 10,000 idle executions",
            "value": round(idle, 1),
            "unit": "MB",
            "goal": 500,
            "met": idle < 500,
            "peer": None,
            "ratio": None,
            "method": "growth of the resident set over 10,000 executions in a Wait state",
        },
    ]


if __name__ == "__main__":
    found = figures()
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")
    sys.exit(0 if all(figure["met"] for figure in found) else 1)
