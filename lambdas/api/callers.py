"""Who called, as API Gateway's authorizer says it, in a form that stays the same from call to call.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs" (`requestContext.authorizer`, `iam` or `jwt`) and "IAM
identifiers" (the ARNs of users, roles and sessions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lambdas.core.access import Caller
from lambdas.core.errors import Unidentified

_SESSION: Final = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")


def caller_of(context: Mapping[str, Any]) -> Caller:
    """The caller that a request context names; raises Unidentified.

    Somebody of IAM is their principal's ARN. The bearer of a token is its issuer and subject, `https://issuer#subject`:
    no issuer's URL has a `#` of its own, and no ARN begins with https.
    """
    authorizer = context.get("authorizer") or {}
    if arn := (authorizer.get("iam") or {}).get("userArn"):
        principal = principal_of(str(arn))
        return Caller(principal, (principal,))
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if claims.get("iss") and claims.get("sub"):
        bearer = f"{claims['iss']}#{claims['sub']}"
        return Caller(bearer, (bearer,))
    raise Unidentified("the call was authorized neither by IAM nor by a token that says whose it is")


def principal_of(arn: str) -> str:
    """The principal behind an ARN: of a role's session the role, since the session's name is whatever its user says.

    A session does not say in which path its role is, so no role's path is in a principal; role names are unique anyway.
    """
    session = _SESSION.fullmatch(arn)
    return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}" if session else arn
