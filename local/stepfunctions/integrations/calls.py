"""Where each Task's call goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.stepfunctions.api.executions import ExecutionOperations
from local.stepfunctions.integrations.lambda_function import Invoke, LambdaIntegration
from local.stepfunctions.integrations.state_machine import StateMachineIntegration
from local.stepfunctions.jsontext import Json
from local.stepfunctions.mocks import MockConfig
from local.stepfunctions.runtime.core import Core
from local.stepfunctions.runtime.host import Outcome, TaskRequest

CallApi = Callable[[str, dict[str, Any]], dict[str, Json]]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where AWS's other services are: one endpoint for all, and exceptions by botocore's service name."""

    default: str | None = None
    services: dict[str, str] = field(default_factory=dict)

    def of(self, service: str) -> str | None:
        """The service's endpoint, None when none is known."""
        return self.services.get(service, self.default)


class Integration(Protocol):
    """A kind of service that tasks call."""

    def perform(self, request: TaskRequest) -> Outcome:
        """Make the call; failures are outcomes, nothing is raised for them."""
        ...


class Calls:
    """Makes the calls of tasks."""

    def __init__(
        self,
        core: Core,
        executions: ExecutionOperations,
        lambda_invoke: Invoke,
        endpoints: Endpoints,
        call_api: CallApi,
        report: Callable[[TaskRequest, Outcome], object],
        later: Callable[[float, Callable[[], None]], object],
        mocks: MockConfig | None = None,
    ) -> None:
        self._core = core
        functions = LambdaIntegration(lambda_invoke, core.unique_id)
        self._integrations: dict[str, Integration] = {
            "function": functions,
            "lambda": functions,
            "states": StateMachineIntegration(executions, core.unique_id),
        }
        elsewhere = endpoints.services.get("stepfunctions")
        if elsewhere is not None:
            from local.stepfunctions.integrations import remote_state_machine as remote  # noqa: PLC0415 - as below

            api = remote.RemoteStepFunctions(elsewhere, core.region)
            call_api = api.call
            core.nested_elsewhere = True
            self._integrations["states"] = remote.RemoteStateMachineIntegration(api, report, later)
        self.endpoints = endpoints
        self._call_api = call_api
        self._mocks = mocks

    def integrate(self, service: str, integration: Integration) -> None:
        """Have another part make the calls of a service."""
        self._integrations[service] = integration

    def make(self, request: TaskRequest) -> Outcome:
        """Make a task's call, or take its mocked outcome: one that waits for its token is submitted by it."""
        if self._mocks is not None and (mocked := self._mocked(self._mocks, request)) is not None:
            return mocked
        outcome = self.outcome(request)
        if request.resource.pattern == "waitForTaskToken" and outcome.kind == "succeeded":
            return Outcome("submitted", output=outcome.output)
        return outcome

    def _mocked(self, mocks: MockConfig, request: TaskRequest) -> Outcome | None:
        if request.mock_case is None:
            return None
        execution = self._core.executions.get(request.execution_arn)
        if execution is None:
            return None
        return mocks.outcome(request, execution.origin.machine_name.split("/")[0])

    def outcome(self, request: TaskRequest) -> Outcome:
        """Make a task's call; whatever goes wrong is a failed outcome."""
        try:
            return self._integration(request).perform(request)
        except Exception as error:
            return Outcome("failed", error="States.TaskFailed", cause=f"{type(error).__name__}: {error}")

    def _integration(self, request: TaskRequest) -> Integration:
        service = request.resource.service
        if service not in self._integrations:
            from local.stepfunctions.integrations.sdk import SdkIntegration  # noqa: PLC0415 - botocore when needed

            self._integrations[service] = SdkIntegration(self.endpoints, self._core.region, self._call_api)
        return self._integrations[service]
