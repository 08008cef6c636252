"""Who is calling: the managed identity endpoint that hands out tokens, and the check that every call brings one."""

from __future__ import annotations

import time
from typing import Final

from werkzeug.wrappers import Request, Response

from local.simulators.azure.errors import ArmError, json_response

_TOKEN_SECONDS: Final = 86_400


def issue_token(request: Request) -> Response:
    """Answer as the App Service managed identity endpoint does (api-version 2019-08-01).

    The token expires by the wall's clock, whatever clock the simulator runs on, because the SDK compares it to that.
    """
    if not request.headers.get("X-IDENTITY-HEADER"):
        raise ArmError(401, "Unauthorized", "The X-IDENTITY-HEADER header is required.")
    resource = request.args.get("resource")
    if not resource:
        raise ArmError(400, "InvalidRequest", "The resource query parameter is required.")
    return json_response(
        {
            "access_token": "simulated-access-token",
            "expires_on": str(int(time.time()) + _TOKEN_SECONDS),
            "resource": resource,
            "token_type": "Bearer",
        }
    )


def require_bearer(request: Request) -> None:
    """Raise ArmError unless the request brings a bearer token; any one will do."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        message = "Authentication failed. The 'Authorization' header is missing."
        raise ArmError(401, "AuthenticationFailed", message, headers={"WWW-Authenticate": "Bearer"})
