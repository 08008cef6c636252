"""Who called, as API Gateway's authorizer says it, in a form that stays the same from call to call.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs" (`requestContext.authorizer.iam`) and "IAM identifiers"
(the ARNs of users, roles and sessions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lambdas.core.access import Caller
from lambdas.core.errors import Unidentified

_SESSION: Final = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")


def caller_of(context: Mapping[str, Any]) -> Caller:
    """The caller that a request context names; raises Unidentified."""
    arn = ((context.get("authorizer") or {}).get("iam") or {}).get("userArn")
    if not arn:
        raise Unidentified("the call was not authorized by IAM")
    principal = principal_of(str(arn))
    return Caller(principal, (principal,))


def principal_of(arn: str) -> str:
    """The principal behind an ARN: of a role's session the role, since the session's name is whatever its user says.

    A session does not say in which path its role is, so no role's path is in a principal; role names are unique anyway.
    """
    session = _SESSION.fullmatch(arn)
    return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}" if session else arn
