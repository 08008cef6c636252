"""The Step Functions engines that the definitions are tested on, each reached by the API alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.config import Config

from local.clock import VirtualClock
from local.http_server import serve
from local.stepfunctions import Engine
from local.stepfunctions.integrations.lambda_function import invoke_over_http
from local.stepfunctions.server import StepFunctionsServer
from tests.statemachines.scripted_billing import BILLING_FUNCTION, PUBLISH_FUNCTION
from tests.statemachines.scripted_lambda import ScriptedLambda
from tests.statemachines.scripted_saga import SAGA_FUNCTION

ROOT: Final = Path(__file__).resolve().parents[2]
MOTO_TIME_SCALE: Final = 0.001
MOTO_DIALECT: Final = {
    '"ExecutionType": "EXPRESS"': '"ExecutionType": "STANDARD"',
    '"ToleratedFailurePercentage": 100': '"ToleratedFailurePercentage": 100.0',
}
"""Its grammar knows no Express children and no whole percentages."""
_ROLE = "arn:aws:iam::123456789012:role/stepfunctions"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Execution:
    """One execution, as the API tells of it."""

    client: Any = field(repr=False)
    arn: str
    patience: float

    def end(self) -> dict[str, Any]:
        """DescribeExecution's answer once it has ended; AssertionError when it does not in good time."""
        self._until(lambda: self._describe()["status"] != "RUNNING", "end")
        return self._describe()

    def until_entered(self, state: str) -> None:
        """Wait until it has entered a state; AssertionError when it does not in good time."""
        self._until(lambda: state in self.path(), f"enter {state}")

    def path(self) -> list[str]:
        """The names of the states entered, in order; a Map's iterations are interleaved as they ran."""
        entered = [event["stateEnteredEventDetails"] for event in self.history() if "stateEnteredEventDetails" in event]
        return [details["name"] for details in entered]

    def history(self) -> list[dict[str, Any]]:
        """Every event so far, in order."""
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return [event for page in pages for event in page["events"]]

    def seconds_in(self, state: str) -> list[float]:
        """How long each stay in a state took, in the engine's own time; for a state of one iteration at a time."""
        entered = self._moments("stateEnteredEventDetails", state)
        left = self._moments("stateExitedEventDetails", state)
        return [(end - start).total_seconds() for start, end in zip(entered, left, strict=True)]

    def stop(self) -> None:
        """End it, if it has not."""
        with suppress(self.client.exceptions.ClientError):
            self.client.stop_execution(executionArn=self.arn)

    def _describe(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.describe_execution(executionArn=self.arn)
        return answer

    def _moments(self, details: str, state: str) -> list[datetime]:
        return [it["timestamp"] for it in self.history() if it.get(details, {}).get("name") == state]

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline, pause = time.monotonic() + self.patience, 0.002
        while not holds():
            assert time.monotonic() < deadline, f"did not {what} in {self.patience} s; took {' > '.join(self.path())}"
            time.sleep(pause)
            pause = min(2 * pause, 0.1)


class EngineUnderTest:
    """An engine with the definitions deployed and its Lambda calls answered by scripts.

    `time_scale` is how long one second of a Wait lasts by its own timestamps; `patience` how many real seconds an
    execution may take; `dialect` what it can only read when it is put in other words.
    """

    def __init__(
        self,
        name: str,
        url: str,
        functions: ScriptedLambda,
        time_scale: float = 1,
        patience: float = 20,
        dialect: Mapping[str, str] = {},
    ) -> None:
        self.name = name
        self.functions = functions
        self.time_scale = time_scale
        self.patience = patience
        self._dialect = dialect
        self.client = boto3.client(
            "stepfunctions",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )
        self.release = self._deploy("release", SagaFunction=SAGA_FUNCTION)
        self.provisioning = self.deploy_provisioning(self.release)
        self.billing = self._deploy("billing", BillingFunction=BILLING_FUNCTION, PublishFunction=PUBLISH_FUNCTION)

    def deploy_provisioning(self, release: str) -> str:
        """Deploy a provisioning machine that compensates by this release machine, and return its ARN."""
        return self._deploy("provisioning", SagaFunction=SAGA_FUNCTION, ReleaseStateMachine=release)

    def shortest(self, seconds: float) -> float:
        """The least that a wait of `seconds` may come to in this engine's timestamps, which tell milliseconds."""
        return seconds * self.time_scale - 0.002

    def start(self, machine_arn: str, name: str, input: str) -> Execution:
        """Start an execution; `input` is JSON text."""
        answer = self.client.start_execution(stateMachineArn=machine_arn, name=name, input=input)
        return Execution(self.client, answer["executionArn"], self.patience)

    def releases_of(self, saga_id: str) -> list[Execution]:
        """The executions of the release machine that were started for a saga."""
        pages = self.client.get_paginator("list_executions").paginate(stateMachineArn=self.release)
        found = [it for page in pages for it in page["executions"] if it["name"].startswith(saga_id)]
        return [Execution(self.client, it["executionArn"], self.patience) for it in found]

    def _deploy(self, name: str, **substitutions: str) -> str:
        definition = (ROOT / "statemachines" / f"{name}.asl.json").read_text()
        placeholders = {f"${{{key}}}": value for key, value in substitutions.items()}
        for before, after in {**placeholders, **self._dialect}.items():
            definition = definition.replace(before, after)
        unique = f"{name}-{uuid4().hex[:8]}"  # a given engine may remember an earlier run
        answer = self.client.create_state_machine(name=unique, definition=definition, roleArn=_ROLE)
        arn: str = answer["stateMachineArn"]
        return arn


@contextmanager
def ours() -> Iterator[EngineUnderTest]:
    """Our engine, served over HTTP in this process, in virtual time."""
    functions = ScriptedLambda()
    with serve(functions) as endpoint:
        engine = Engine(clock=VirtualClock(), lambda_invoke=invoke_over_http(endpoint.url))
        server = StepFunctionsServer(engine, port=0)
        threads = [threading.Thread(target=run, daemon=True) for run in (engine.run_forever, server.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield EngineUnderTest("ours", server.url, functions)
        finally:
            server.shutdown()
            server.server_close()
            engine.close()


@contextmanager
def moto() -> Iterator[EngineUnderTest]:
    """Moto's interpreter, in a process of its own, with time sped up."""
    functions = ScriptedLambda()
    with serve(functions) as endpoint:
        command = [sys.executable, "-m", "tests.statemachines.moto_interpreter", endpoint.url, str(MOTO_TIME_SCALE)]
        with subprocess.Popen(  # noqa: S603 - this module's own command
            command, cwd=ROOT, env=os.environ | _CREDENTIALS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                url = process.stdout.readline().strip()
                assert url, "moto did not start"
                yield EngineUnderTest("moto", url, functions, MOTO_TIME_SCALE, dialect=MOTO_DIALECT)
            finally:
                process.stdin.close()


@contextmanager
def given(url: str, lambda_port: int) -> Iterator[EngineUnderTest]:
    """An engine that runs already, in real time, and calls Lambda at `lambda_port` of this machine."""
    functions = ScriptedLambda()
    with serve(functions, host="0.0.0.0", port=lambda_port):  # noqa: S104 - it may call out of a container
        yield EngineUnderTest("given", url, functions, patience=600)
