"""HTTP APIs as deployed in moto's API Gateway v2, read in this process because a request must not cost another.

The only module here that knows moto's inside (pinned; `tests/unit/http_api/test_moto_source.py` holds it to what the
API says).
"""

from __future__ import annotations

from typing import Any

import moto.backends

from local.http_api.deployed import DeployedHttpApi, Integration, JwtAuthorizer, Route

# API Gateway's own maximum for HTTP APIs, and its default.
_DEFAULT_TIMEOUT_MILLISECONDS = 30_000


class MotoHttpApiSource:
    """Reads moto's HTTP APIs; a request that names no region gets this one."""

    def __init__(self, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._account = account
        self._region = region

    def find(self, api_id: str, region: str | None = None) -> DeployedHttpApi | None:
        """Return the API of that id, None when there is none or when it is a WebSocket API."""
        region = region or self._region
        api = moto.backends.get_backend("apigatewayv2")[self._account][region].apis.get(api_id)
        if api is None or api.protocol_type != "HTTP":
            return None
        integrations = {model.id: _integration(model) for model in list(api.integrations.values())}
        authorizers = {model.id: _authorizer(model) for model in list(api.authorizers.values())}
        return DeployedHttpApi(
            api_id,
            self._account,
            region,
            tuple(_route(model, integrations, authorizers) for model in list(api.routes.values())),
            {stage.name: dict(stage.stage_variables or {}) for stage in list(api.stages.values())},
        )


def _integration(model: Any) -> Integration:
    milliseconds = int(model.timeout_in_millis or _DEFAULT_TIMEOUT_MILLISECONDS)
    return Integration(
        model.integration_type, model.integration_uri or "", model.payload_format_version or "1.0", milliseconds / 1000
    )


def _authorizer(model: Any) -> JwtAuthorizer | None:
    if model.authorizer_type != "JWT":
        return None
    (source,) = model.identity_source
    config = model.jwt_config
    return JwtAuthorizer(config["issuer"], tuple(config.get("audience", ())), source)


def _route(model: Any, integrations: dict[str, Integration], authorizers: dict[str, JwtAuthorizer | None]) -> Route:
    target = (model.target or "").removeprefix("integrations/")
    return Route(
        model.route_key,
        model.authorization_type or "NONE",
        integrations.get(target),
        authorizers.get(model.authorizer_id),
        tuple(model.authorization_scopes or ()),
    )
