"""The webhooks that a deployment declares, read from the CDK context `webhooks`.

`{NAME: {"url": "https://...", "events": ["saga.ended", ...], "labels": {KEY: VALUE}}}`; docs/events.md says more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from constructs import Construct
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints

from infra.declaration import parsed
from infra.permissions.events import EVENT_SOURCE
from infra.private_clouds import is_loopback

ENDINGS: Final = ("COMMITTED", "ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION")
"""The statuses of `lambdas.core.states.ENDINGS`, in the order in which people think of them."""

MOST_WEBHOOKS: Final = 20
_MOST_BYTES: Final = 3000
"""Of all URLs together: a function's environment holds 4,096 bytes."""

_BUDGET: Final = "budget.passed"
_KINDS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "saga.ended": ("Saga changed", {"status": list(ENDINGS)}),
    "saga.changed": ("Saga changed", {"status": [{"anything-but": list(ENDINGS)}]}),
    "resource.changed": ("Resource changed", {}),
    _BUDGET: ("Budget passed", {}),
}
"""Each event's detail type, and what else its detail has to have."""


def _encrypted_or_local(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("must be a URL of a host, a path and a query and nothing else")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must be https: what happens to sagas is sent to it")
    return url


def _each_once(events: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(events)) < len(events):
        raise ValueError("must name each event once")
    return events


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Url = Annotated[str, StringConstraints(max_length=500), AfterValidator(_encrypted_or_local)]
Kind = Literal["saga.ended", "saga.changed", "resource.changed", "budget.passed"]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]
"""As requests may write labels: no other would ever match."""


class Webhook(BaseModel):
    """Where to post which events, of sagas with all of these labels only if there are any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Url
    events: Annotated[tuple[Kind, ...], Field(min_length=1), AfterValidator(_each_once)] = ("saga.ended",)
    labels: dict[LabelKey, LabelValue] = {}

    @property
    def pattern(self) -> dict[str, Any]:
        """The event pattern of its rule."""
        wanted = [self._wanted(*_KINDS[it]) for it in self.events]
        return {"source": [EVENT_SOURCE], **(wanted[0] if len(wanted) == 1 else {"$or": wanted})}

    def _wanted(self, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
        labels = {"labels": {key: [value] for key, value in self.labels.items()}} if self.labels else {}
        wanted = {**detail, **labels}
        return {"detail-type": [detail_type], **({"detail": wanted} if wanted else {})}


class Webhooks(RootModel[dict[Name, Webhook]]):
    """All of them, by name."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_context(cls, scope: Construct) -> Webhooks:
        """Read the context value `webhooks`, an object or its JSON; raises BadDeclaration."""
        value = scope.node.try_get_context("webhooks")
        return cls.parse({} if value is None else value)

    @classmethod
    def parse(cls, value: object) -> Webhooks:
        """What a document or its JSON declares; raises BadDeclaration."""
        return parsed(cls, "webhooks", value, lambda it: it._mistakes())

    @property
    def by_name(self) -> dict[str, Webhook]:
        """Each webhook by its name."""
        return self.root

    @property
    def urls(self) -> str:
        """What their function is told: the URL of each by its name, as JSON."""
        return json.dumps({name: it.url for name, it in self.root.items()}, separators=(",", ":"))

    def _mistakes(self) -> list[str]:
        found = []
        for name, webhook in self.root.items():
            if webhook.labels and _BUDGET in webhook.events:
                found.append(
                    f"webhooks.{name}: what is told of budgets has no labels; declare another webhook for {_BUDGET}"
                )
        if len(self.root) > MOST_WEBHOOKS:
            found.append(f"webhooks: {len(self.root)} are declared; there may be {MOST_WEBHOOKS}")
        if (size := len(self.urls.encode())) > _MOST_BYTES:
            found.append(f"webhooks: their names and URLs are {size} bytes long; a function is told {_MOST_BYTES}")
        return found
