"""STEP_FUNCTIONS_ENDPOINT: nested executions in another engine, asked after until they end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.stepfunctions.errors import ApiError
from local.stepfunctions.integrations.state_machine import api_request, ended_outcome, refused, started
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.host import Outcome, TaskRequest

POLL_SECONDS = 1.0
Later = Callable[[float, Callable[[], None]], object]


class RemoteStepFunctions:
    """The API of a Step Functions service elsewhere, answered as the engine answers its own."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._client = botocore.session.get_session().create_client(
            "stepfunctions",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - local endpoints take any
            config=Config(retries={"max_attempts": 1}),
        )

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Json]:
        """The answer, with dates in seconds since the epoch; raises ApiError."""
        try:
            answer = getattr(self._client, xform_name(operation))(**request)
        except ClientError as error:
            details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise ApiError(details.get("Code", ""), details.get("Message", ""), status) from error
        except BotoCoreError as error:
            raise ApiError("SdkClient", f"Unable to execute HTTP request: {error}", 500) from error
        answer.pop("ResponseMetadata", None)
        found: dict[str, Json] = _seconds(answer)
        return found


class RemoteStateMachineIntegration:
    """Starts executions elsewhere and asks every second whether those that are waited for have ended.

    An execution that the task gives no name gets one that follows from the task, so that a restarted engine finds the
    execution it had started.
    """

    def __init__(
        self, api: RemoteStepFunctions, report: Callable[[TaskRequest, Outcome], object], later: Later
    ) -> None:
        self._api = api
        self._report = report
        self._later = later

    def perform(self, request: TaskRequest) -> Outcome:
        """Start the execution; `.sync` is submitted and reported when it has ended."""
        wanted = api_request(request.parameters)
        own_name = "name" not in wanted
        wanted.setdefault("name", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{request.execution_arn}#{request.attempt}")))
        try:
            answer = self._api.call("StartExecution", wanted)
        except ApiError as error:
            if not (own_name and error.code.startswith("ExecutionAlreadyExists")):
                return refused(error, str(uuid.uuid4()))
            answer = self._api.call("DescribeExecution", {"executionArn": _execution_arn(wanted)})
        waited = request.resource.pattern.startswith("sync")
        if waited:
            self._later(POLL_SECONDS, partial(self._ask, request, answer["executionArn"]))
        output = started(answer["executionArn"], answer["startDate"], str(uuid.uuid4()))
        return Outcome("submitted" if waited else "succeeded", output=output)

    def _ask(self, request: TaskRequest, arn: str) -> None:
        try:
            answer = self._api.call("DescribeExecution", {"executionArn": arn})
        except ApiError as error:
            if error.status < 500:
                self._report(request, refused(error, str(uuid.uuid4())))
                return
            answer = {"status": "RUNNING"}  # it cannot be reached for now
        if answer["status"] == "RUNNING":
            self._later(POLL_SECONDS, partial(self._ask, request, arn))
        else:
            self._report(request, ended_outcome(answer, request.resource.pattern))


def _execution_arn(request: dict[str, Any]) -> str:
    machine = ":".join(request["stateMachineArn"].split(":")[:7])
    return f"{machine.replace(':stateMachine:', ':execution:')}:{request['name']}"


def _seconds(value: Any) -> Json:
    if isinstance(value, dict):
        return {name: _seconds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_seconds(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value
