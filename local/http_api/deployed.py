"""A deployed HTTP API as the front needs it, and the port through which it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Integration:
    """A Lambda proxy integration: the function to call and how many seconds it may take."""

    kind: str
    uri: str
    payload_format: str
    timeout: float

    @property
    def function(self) -> str:
        """The function's ARN or name, with its qualifier, out of either form of an integration URI."""
        return self.uri.rpartition("/functions/")[2].removesuffix("/invocations")


@dataclass(frozen=True)
class JwtAuthorizer:
    """Whose tokens are taken, for which audiences, and where in a request they are looked for."""

    issuer: str
    audiences: tuple[str, ...]
    identity_source: str = "$request.header.Authorization"


@dataclass(frozen=True)
class Route:
    """A route key such as `GET /sagas/{id}` or `$default`, who may use it, and where it leads.

    `authorizer` and `scopes` are for the authorization JWT: a token needs one of the scopes, if there are any.
    """

    key: str
    authorization: str
    integration: Integration | None
    authorizer: JwtAuthorizer | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeployedHttpApi:
    """One API with its routes and the variables of each stage."""

    api_id: str
    account: str
    region: str
    routes: tuple[Route, ...]
    stages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class HttpApiSource(Protocol):
    """Where deployed HTTP APIs are read; asked at every request, so it must be quick and see each change at once."""

    def find(self, api_id: str, region: str | None = None) -> DeployedHttpApi | None:
        """Return the API of that id in `region`, or in the account's default region; None when there is none."""
        ...
