"""The state machine on moto's interpreter, which keeps everything in memory.

    python moto_saga.py DEFINITION

Tuned in its favour: a task calls the activity itself, not Lambda through boto3, and nothing polls for the end.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import activities
import load

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}

import boto3
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/sagas"
ENDED: dict[str, threading.Event] = {}
_terminated = BaseExecutionWorkerCommunication.terminated


def invoke(parameters: dict[str, Any], region: str, state_credentials: object) -> dict[str, Any]:
    """Lambda's Invoke, of an activity."""
    payload = parameters.get("Payload")
    arguments = json.loads(payload) if isinstance(payload, (bytes, str)) else payload
    try:
        answer = getattr(activities, parameters["FunctionName"].rsplit(":", 1)[1])(**arguments)
    except activities.QuotaExceeded as error:
        failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return {"FunctionError": "Unhandled", "Payload": failure, "StatusCode": 200}
    return {"Payload": answer, "StatusCode": 200, "ExecutedVersion": "$LATEST"}


def terminated(self: Any) -> None:
    """Tell whoever waits."""
    _terminated(self)
    if (event := ENDED.get(self.execution.name)) is not None:
        event.set()


class Moto:
    """The engine, as the load sees it."""

    def __init__(self, definition: str) -> None:
        client = boto3.client("stepfunctions")
        boto3.client("iam").create_role(RoleName="sagas", AssumeRolePolicyDocument="{}")
        arguments = {"name": "saga", "definition": definition, "roleArn": ROLE}
        self._machine = client.create_state_machine(**arguments)["stateMachineArn"]
        self._backend = stepfunctions_parser_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]

    def run(self, saga: str, fail: str) -> str:
        """Run an execution."""
        self.begin(saga, fail)
        return self.finish(saga)

    def begin(self, saga: str, fail: str = "") -> None:
        """Start an execution."""
        ENDED[saga] = threading.Event()
        order = json.dumps({"saga": saga, "fail": fail})
        self._backend.start_execution(self._machine, name=saga, execution_input=order)

    def finish(self, saga: str) -> str:
        """Wait for an execution."""
        ENDED[saga].wait(load.FINISH_SECONDS)
        del ENDED[saga]
        execution = self._backend.describe_execution(
            self._machine.replace(":stateMachine:", ":execution:") + f":{saga}"
        )
        return {"SUCCEEDED": "COMMITTED", "FAILED": "ROLLED_BACK"}[str(execution.exec_status.value)]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    lambda_eval_utils._invoke_lambda_function = invoke
    BaseExecutionWorkerCommunication.terminated = terminated
    AmazonStateLanguageParser.parse = staticmethod(lru_cache(AmazonStateLanguageParser.parse))
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": True}}):
        load.serve_threads(Moto(Path(sys.argv[1]).read_text()))
