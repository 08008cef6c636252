"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Final

from aws_lambda_powertools.event_handler import Response

from lambdas.api.documents import Malformed, TooLarge
from lambdas.core.errors import (
    ClusterNotFound,
    FieldError,
    Forbidden,
    IdempotencyConflict,
    Misconfigured,
    NotGranted,
    NotPossible,
    RequestError,
    RetryableError,
    SagaNotFound,
    SkysagaError,
    Throttled,
    Unidentified,
)

CONTENT_TYPE: Final = "application/problem+json"

_STATUS: Final[dict[type[SkysagaError], tuple[HTTPStatus, str]]] = {
    TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The document is too large"),
    Malformed: (HTTPStatus.BAD_REQUEST, "The document cannot be read"),
    NotGranted: (HTTPStatus.FORBIDDEN, "The request names targets that you were not granted"),
    RequestError: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    IdempotencyConflict: (HTTPStatus.CONFLICT, "The idempotency key was used for a different request"),
    NotPossible: (HTTPStatus.CONFLICT, "The saga's status does not allow this"),
    Forbidden: (HTTPStatus.FORBIDDEN, "You were not granted this"),
    Unidentified: (HTTPStatus.FORBIDDEN, "Nobody knows who you are"),
    Misconfigured: (HTTPStatus.INTERNAL_SERVER_ERROR, "An operator has to mend what the deployment was told"),
    SagaNotFound: (HTTPStatus.NOT_FOUND, "There is no such saga"),
    ClusterNotFound: (HTTPStatus.NOT_FOUND, "There is no such cluster"),
    RetryableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Try again in a moment"),
}


RETRY_AFTER: Final = 2.0
"""In seconds, unless a service said otherwise."""


def problem(
    status: HTTPStatus,
    title: str,
    detail: str | None = None,
    errors: Sequence[FieldError] = (),
    retry_after: float = RETRY_AFTER,
) -> Response[str]:
    """A problem document; `errors` lists every offending field."""
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": int(status)}
    if detail:
        document["detail"] = detail
    document["errors"] = [error._asdict() for error in errors]
    headers = {"Retry-After": str(ceil(retry_after))} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Response(status_code=int(status), content_type=CONTENT_TYPE, body=json.dumps(document), headers=headers)


def problem_of(error: SkysagaError) -> Response[str]:
    """The problem document of one of our own errors."""
    kind = next((kind for kind in type(error).__mro__ if kind in _STATUS), None)
    if kind is None:
        return internal_problem()
    status, title = _STATUS[kind]
    errors = error.errors if isinstance(error, RequestError) else ()
    detail = None if errors else str(error)
    retry_after = error.retry_after if isinstance(error, Throttled) else RETRY_AFTER
    return problem(status, title, detail, errors, retry_after)


def internal_problem() -> Response[str]:
    """The problem document of what should not have happened; says nothing of what it was."""
    title = "Something went wrong on our side"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, title, "Nothing was lost: repeat the call with the same key.")
