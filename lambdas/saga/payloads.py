"""What the state machines send about whole sagas; the `step` tells them apart."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lambdas.core.errors import CapacityError, RetryableError, TerminalError
from lambdas.core.steps.saga import ReleaseReason

_FORESEEN: Final = frozenset(error.__name__ for error in (RetryableError, CapacityError, TerminalError))


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

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


class ListBatch(_Payload):
    """List what a batch works on; `again` in a later round of its wave."""

    step: Literal["list"]
    wave: int
    batch: int
    again: bool


class Ask(_Payload):
    """Ask for consent; the task ends when whoever gives it sends the token back."""

    step: Literal["ask"]
    token: str


class CaughtError(BaseModel):
    """An error as a Catch hands it over: its name, and for a function's own error a JSON document as cause."""

    model_config = ConfigDict(defer_build=True)

    name: str = Field(alias="Error")
    cause: str = Field(default="", alias="Cause")

    @property
    def unforeseen(self) -> bool:
        """Whether it is none that a step raises: a bug, a crash, or a function that cannot even be loaded."""
        return self.name not in _FORESEEN

    @property
    def text(self) -> str:
        """The error in one line, without the traceback that the cause may hold."""
        try:
            message = json.loads(self.cause).get("errorMessage")
        except (ValueError, AttributeError):
            message = self.cause
        return " ".join(f"{self.name}: {message}".split())[:2000] if message else self.name


class Fail(_Payload):
    """Record that a resource could not be created (`fail`) or not be removed (`stick`)."""

    step: Literal["fail", "stick"]
    resource_id: str
    error: CaughtError


class Lapse(_Payload):
    """Give up waiting for consent, because of an error or the time."""

    step: Literal["lapse"]
    error: CaughtError


class Unchecked(_Payload):
    """Record that a cloud could not be asked for shortages."""

    step: Literal["unchecked"]
    cloud: str
    error: CaughtError


Payload = Begin | Decide | Fence | Conclude | Ask | Lapse | Fail | Unchecked | ListBatch

PAYLOAD = TypeAdapter[Payload](Annotated[Payload, Field(discriminator="step")], config=ConfigDict(defer_build=True))
