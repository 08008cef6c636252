"""Who calls: the one place that reads an identity from a request. Sagas belong to it, and idempotency keys do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Nobody(Exception):
    """The request came through a route that lets everybody in; those that need a caller must not be such."""


def caller_of(event: Mapping[str, Any]) -> str:
    """Return who API Gateway says sent a request (payload format 2.0); raises Nobody.

    Somebody of IAM is their ARN, with the session's name where there is one. The bearer of a token is its issuer and
    subject, `https://issuer#subject`: no URL of an issuer has a `#` itself, and no ARN begins with https.
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    if arn := (authorizer.get("iam") or {}).get("userArn"):
        return str(arn)
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if claims.get("iss") and claims.get("sub"):
        return f"{claims['iss']}#{claims['sub']}"
    raise Nobody
