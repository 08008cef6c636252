"""Compute Engine's refusals: status, reason and body as its JSON API gives them.

Sources: https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-bulk-vm-creation,
https://cloud.google.com/compute/operations-quota, and the bodies that users quote in public issues.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from werkzeug.wrappers import Response


class ApiError(Exception):
    """A request that is refused before it has any effect."""

    def __init__(self, status: int, reason: str, message: str, domain: str = "global") -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain

    def response(self, headers: dict[str, str] | None = None) -> Response:
        """The answer that says so."""
        detail = {"message": self.message, "domain": self.domain, "reason": self.reason}
        body = {"error": {"code": self.status, "message": self.message, "errors": [detail]}}
        return Response(json.dumps(body), self.status, headers, content_type="application/json; charset=UTF-8")


class OperationError(NamedTuple):
    """Why an accepted operation failed: code and message in its `error`, and the status it is said to stand for."""

    code: str
    message: str
    http_status: int
    http_message: str


def not_found(path: str) -> ApiError:
    """What `path` (`projects/...`) names does not exist."""
    return ApiError(404, "notFound", f"The resource '{path}' was not found")


def already_exists(path: str) -> ApiError:
    """There is a resource at `path` already."""
    return ApiError(409, "alreadyExists", f"The resource '{path}' already exists")


def invalid(field: str, value: object, why: str) -> ApiError:
    """`field` of the request has a value that cannot be."""
    return ApiError(400, "invalid", f"Invalid value for field '{field}': '{value}'. {why}")


def in_use(path: str, user: str) -> ApiError:
    """The disk at `path` is attached to `user`."""
    message = f"The disk resource '{path}' is already being used by '{user}'"
    return ApiError(400, "resourceInUseByAnotherResource", message)


def not_ready(path: str) -> ApiError:
    """The resource at `path` is still being created or deleted."""
    return ApiError(400, "resourceNotReady", f"The resource '{path}' is not ready")


def login_required() -> ApiError:
    """The call carries no bearer token."""
    return ApiError(401, "required", "Request is missing required authentication credential.")


def quota_exceeded(metric: str, limit: int, region: str) -> ApiError:
    """The project has used up `metric` in `region`."""
    message = f"Quota '{metric}' exceeded.  Limit: {limit:.1f} in region {region}."
    return ApiError(403, "quotaExceeded", message, domain="usageLimits")


def rate_limited() -> ApiError:
    """Too many calls in too short a time."""
    return ApiError(429, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")


def unavailable() -> ApiError:
    """The service is down for the moment."""
    return ApiError(503, "backendError", "Service unavailable. Please try again.")


def stockout(zone: str, path: str) -> OperationError:
    """The zone has no room for another machine or disk."""
    message = (
        f"The zone '{zone}' does not have enough resources available to fulfill the request for '{path}'.  "
        "Try a different zone, or try again later."
    )
    return OperationError("ZONE_RESOURCE_POOL_EXHAUSTED", message, 503, "SERVICE UNAVAILABLE")


def internal() -> OperationError:
    """Something went wrong on Google's side."""
    return OperationError(
        "INTERNAL_ERROR", "Internal error. Please try again or contact Google Support.", 500, "INTERNAL SERVER ERROR"
    )
