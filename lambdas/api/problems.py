"""Errors as RFC 9457 problem documents, each of a type that stays the same: docs/api.md lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from aws_lambda_powertools.event_handler import Response

from lambdas.api.documents import Malformed, TooLarge, UnknownMediaType
from lambdas.core.errors import (
    ClusterNotFound,
    FieldError,
    Forbidden,
    IdempotencyConflict,
    Misconfigured,
    MovedOn,
    NotGranted,
    NotPossible,
    RequestError,
    RetryableError,
    SagaNotFound,
    SkysagaError,
    SweepNotFound,
    Throttled,
    Unidentified,
)

if TYPE_CHECKING:
    from lambdas.api.shapes import Problem

CONTENT_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One type of problem: the name in its `type`, and the status and title of every problem of the type."""

    name: str
    status: HTTPStatus
    title: str

    @property
    def type(self) -> str:
        """The reference that tells programs which type it is; nothing is served there."""
        return f"/problems/{self.name}"


UNREADABLE: Final = Kind("unreadable-document", HTTPStatus.BAD_REQUEST, "The document cannot be read")
TARGET_NOT_GRANTED: Final = Kind(
    "target-not-granted", HTTPStatus.FORBIDDEN, "The request names targets that you were not granted"
)
NOT_GRANTED: Final = Kind("not-granted", HTTPStatus.FORBIDDEN, "You were not granted this")
UNIDENTIFIED: Final = Kind("unidentified", HTTPStatus.FORBIDDEN, "Nobody knows who you are")
NO_ROUTE: Final = Kind("no-such-resource", HTTPStatus.NOT_FOUND, "There is no such resource")
NO_SAGA: Final = Kind("no-such-saga", HTTPStatus.NOT_FOUND, "There is no such saga")
NO_CLUSTER: Final = Kind("no-such-cluster", HTTPStatus.NOT_FOUND, "There is no such cluster")
NO_SWEEP: Final = Kind("no-such-sweep", HTTPStatus.NOT_FOUND, "There is no such sweep")
NO_COSTS: Final = Kind("no-costs", HTTPStatus.NOT_FOUND, "This deployment collects no costs")
NO_METHOD: Final = Kind("no-such-method", HTTPStatus.METHOD_NOT_ALLOWED, "The resource does not take this method")
KEY_USED: Final = Kind(
    "idempotency-key-used", HTTPStatus.CONFLICT, "The idempotency key was used for a different request"
)
NOT_POSSIBLE: Final = Kind("not-possible", HTTPStatus.CONFLICT, "The saga's status does not allow this")
MOVED_ON: Final = Kind("moved-on", HTTPStatus.PRECONDITION_FAILED, "The saga has moved on since you looked")
TOO_LARGE: Final = Kind("document-too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The document is too large")
MEDIA_TYPE: Final = Kind(
    "unknown-media-type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Documents of this media type are not read"
)
INVALID: Final = Kind("invalid-request", HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid")
INTERNAL: Final = Kind("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side")
MISCONFIGURED: Final = Kind(
    "misconfigured", HTTPStatus.INTERNAL_SERVER_ERROR, "An operator has to mend what the deployment was told"
)
UNAVAILABLE: Final = Kind("unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "Try again in a moment")

_KINDS: Final[dict[type[SkysagaError], Kind]] = {
    TooLarge: TOO_LARGE,
    Malformed: UNREADABLE,
    UnknownMediaType: MEDIA_TYPE,
    NotGranted: TARGET_NOT_GRANTED,
    RequestError: INVALID,
    IdempotencyConflict: KEY_USED,
    NotPossible: NOT_POSSIBLE,
    MovedOn: MOVED_ON,
    Forbidden: NOT_GRANTED,
    Unidentified: UNIDENTIFIED,
    Misconfigured: MISCONFIGURED,
    SagaNotFound: NO_SAGA,
    ClusterNotFound: NO_CLUSTER,
    SweepNotFound: NO_SWEEP,
    RetryableError: UNAVAILABLE,
}

RETRY_AFTER: Final = 2.0
"""In seconds, unless a service said otherwise."""


MOST_LISTED: Final = 100
"""Mistakes in one answer; whoever has mended these sees the next ones."""


def problem(
    kind: Kind,
    detail: str | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """A problem document; `errors` lists every offending field, or the first hundred, of which `detail` tells."""
    if len(errors) > MOST_LISTED:
        detail = f"At least {len(errors)} fields are wrong; the first {MOST_LISTED} are listed. Mend these first."
    document: Problem = {
        "type": kind.type,
        "title": kind.title,
        "status": int(kind.status),
        "errors": [{"field": error.field, "reason": error.reason} for error in errors[:MOST_LISTED]],
    }
    if detail:
        document["detail"] = detail
    return Response(int(kind.status), CONTENT_TYPE, json.dumps(document), headers=dict(headers or {}))


def problem_of(error: SkysagaError) -> Response[str]:
    """The problem document of one of our own errors."""
    kind = next((_KINDS[it] for it in type(error).__mro__ if it in _KINDS), None)
    if kind is None:
        return internal_problem()
    errors = error.errors if isinstance(error, RequestError) else ()
    retry_after = error.retry_after if isinstance(error, Throttled) else RETRY_AFTER
    headers = {"Retry-After": str(ceil(retry_after))} if kind is UNAVAILABLE else {}
    return problem(kind, None if errors else str(error), errors, headers)


def internal_problem() -> Response[str]:
    """The problem document of what should not have happened; says nothing of what it was."""
    return problem(INTERNAL, "Nothing was lost: repeat the call with the same key.")
