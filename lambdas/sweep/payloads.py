"""What the sweep's state machine sends; the `step` tells them apart."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lambdas.core.steps.sweep import CloudFindings, NotSwept, Overdue


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class SweepInput(_Payload):
    """What whoever starts a sweep may say."""

    dry_run: bool = False


class Look(_Payload):
    """Begin a sweep: what does the ledger say?"""

    step: Literal["look"]
    input: SweepInput


class Decide(_Payload):
    """End it: what follows from what was found? `found` has one entry per target, its findings or its `error`."""

    step: Literal["decide"]
    dry_run: bool
    overdue: list[Overdue]
    needing_attention: int
    found: list[dict[str, Any]]

    @property
    def looked_at(self) -> list[CloudFindings]:
        """The findings of the targets that could be looked at."""
        return [cast("CloudFindings", it) for it in self.found if "error" not in it]

    @property
    def not_swept(self) -> list[NotSwept]:
        """The targets that could not, each with its error's name."""
        return [
            {"cloud": it["cloud"], "target": it["target"], "error": it["error"]} for it in self.found if "error" in it
        ]


PAYLOAD = TypeAdapter[Look | Decide](
    Annotated[Look | Decide, Field(discriminator="step")], config=ConfigDict(defer_build=True)
)
