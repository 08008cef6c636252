"""The Lambda handler of the steps about whole sagas; the payload's `step` says which."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.observability import observed
from lambdas.adapters.settings import SagaSettings
from lambdas.adapters.steps import ledger
from lambdas.core.steps.results import WaveResult
from lambdas.core.steps.saga import ReleaseReason, SagaSteps


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    saga_id: str


class Begin(_Payload):
    """Start provisioning."""

    step: Literal["begin"]


class Decide(_Payload):
    """Decide at the join of a wave."""

    step: Literal["decide"]
    wave: int


class Fence(_Payload):
    """Begin a release."""

    step: Literal["fence"]
    reason: ReleaseReason


class Conclude(_Payload):
    """Go on at the join of a released wave."""

    step: Literal["conclude"]
    wave: int


class CaughtError(BaseModel):
    """An error as a Catch hands it over: its name, and for a function's own error a JSON document as cause."""

    name: str = Field(alias="Error")
    cause: str = Field(default="", alias="Cause")

    @property
    def text(self) -> str:
        """The error in one line, without the traceback that the cause may hold."""
        try:
            message = json.loads(self.cause).get("errorMessage")
        except (ValueError, AttributeError):
            message = self.cause
        return f"{self.name}: {message}"[:2000] if message else self.name


class Fail(_Payload):
    """Record that a resource could not be created (`fail`) or not be removed (`stick`)."""

    step: Literal["fail", "stick"]
    resource_id: str
    error: CaughtError


Payload = TypeAdapter[Begin | Decide | Fence | Conclude | Fail](
    Annotated[Begin | Decide | Fence | Conclude | Fail, Field(discriminator="step")]
)


@observed("saga")
def handler(event: dict[str, Any], _: LambdaContext) -> Mapping[str, Any] | None:
    """Take one step about a whole saga."""
    payload = Payload.validate_python(event)
    if isinstance(payload, Fail):
        record = _steps().fail if payload.step == "fail" else _steps().stick
        record(payload.saga_id, payload.resource_id, payload.error.text)
        return None
    return _decided(payload)


def _decided(payload: Begin | Decide | Fence | Conclude) -> WaveResult:
    match payload:
        case Begin():
            return _steps().begin(payload.saga_id)
        case Decide():
            return _steps().decide(payload.saga_id, payload.wave)
        case Fence():
            return _steps().fence(payload.saga_id, payload.reason)
        case Conclude():
            return _steps().conclude(payload.saga_id, payload.wave)


@cache
def _steps() -> SagaSteps:
    functions = SagaSettings.from_environment(os.environ).provider_functions
    return SagaSteps(ledger(), SystemClock(), functions)
