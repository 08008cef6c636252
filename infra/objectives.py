"""What the deployment promises of sagas, read from the CDK context `slo`, and what exports its traces, from `otlp`."""

from __future__ import annotations

from typing import Annotated, Final

from constructs import Construct
from pydantic import BaseModel, ConfigDict, Field

from infra.declaration import parsed
from infra.private_clouds import Secret, Server

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE

Percent = Annotated[float, Field(ge=95, lt=100)]
"""Below 95 the fastest burn would be more than everything going wrong, and its alarm could not go off."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Objectives(_Declared):
    """The percentages of sagas that end well `within` so many seconds, and of those undone that are undone completely.

    No alarm goes off for less than `least` sagas that did not: of a handful, one is a large share.
    """

    completion: Percent = 99.0
    recovery: Percent = 99.9
    within: int = Field(default=4 * HOUR, ge=MINUTE, le=7 * 24 * HOUR)
    least: int = Field(default=2, ge=1)

    @classmethod
    def from_context(cls, scope: Construct) -> Objectives:
        """Read the context value `slo`, an object or its JSON; raises BadDeclaration."""
        return parsed(cls, "slo", scope.node.try_get_context("slo") or {}, lambda _: [])


class TraceExport(_Declared):
    """An OTLP/HTTP receiver, and the secret that holds the headers to send to it, `name=value,name=value`."""

    endpoint: Server
    headers_secret: Secret | None = None

    @classmethod
    def from_context(cls, scope: Construct) -> TraceExport | None:
        """Read the context value `otlp`, an object or its JSON; None for no export; raises BadDeclaration."""
        value = scope.node.try_get_context("otlp")
        return parsed(cls, "otlp", value, lambda _: []) if value else None

    @property
    def environment(self) -> dict[str, str]:
        """What a function must be told, by OpenTelemetry's own names where there are any."""
        headers = {"OTLP_HEADERS_SECRET": self.headers_secret} if self.headers_secret else {}
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, **headers}
