"""What the billing state machine sends to its own steps; the `step` tells them apart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    window: str


class Plan(_Payload):
    """Begin a collection: which sources are there, and who reads them?"""

    step: Literal["plan"]


class NoteFailure(_Payload):
    """A source could not be read; `error` and `cause` are what the state machine caught."""

    step: Literal["note_failure"]
    source: str
    error: str
    cause: str


class Summarise(_Payload):
    """End a collection: what did each saga cost, and which budgets were passed?"""

    step: Literal["summarise"]


PAYLOAD = TypeAdapter[Plan | NoteFailure | Summarise](
    Annotated[Plan | NoteFailure | Summarise, Field(discriminator="step")], config=ConfigDict(defer_build=True)
)


class PublishPayload(BaseModel):
    """The source whose staged read is to be published."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    source: str
    window: str
