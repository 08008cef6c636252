"""The simulated Compute Engine as a web application: authentication, routing, faults, answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import catalog, disks, instances, labels, limits
from local.simulators.gcp.errors import (
    ApiError,
    internal,
    invalid,
    login_required,
    rate_limited,
    stockout,
    unavailable,
)
from local.simulators.gcp.paths import last
from local.simulators.gcp.reading import Reader
from local.simulators.gcp.representations import operation
from local.simulators.gcp.routes import Route, match
from local.simulators.gcp.settings import GcpTiming
from local.simulators.gcp.state import Change, Failure, Operation, State
from local.simulators.simulator import Simulator

_READS: Final = frozenset({"get", "list", "aggregatedList"})


class GcpSimulator(Simulator):
    """Compute Engine v1 below `/compute/v1/`, every project existing, and OAuth tokens at `/_token`.

    An instance that fails with an internal error leaves its boot disk behind, which the real one does at worst.
    """

    def __init__(self, clock: Clock, sleep: Callable[[float], None], timing: GcpTiming | None = None) -> None:
        super().__init__(clock, sleep)
        self._state = State(timing or GcpTiming())

    def operation(self, request: Request) -> str:
        """The API's name for the method called, such as `instances.insert`; `unknown` when it is none we know."""
        route = match(request.method, request.path)
        return f"{route.collection}.{route.verb}" if route else "unknown"

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request as Compute Engine would."""
        try:
            return _json(self._call(request, fault))
        except ApiError as error:
            return error.response()

    def throttled(self, request: Request) -> Response:
        """429 rateLimitExceeded."""
        return rate_limited().response({"Retry-After": "1"})

    def unavailable(self, request: Request) -> Response:
        """503 backendError."""
        return unavailable().response()

    def quoting(self, body: str) -> Response:
        """400 invalid."""
        return invalid("resource", body, "It is malformed.").response()

    def resources(self) -> list[dict[str, Any]]:
        """Every instance and disk; network interfaces and ephemeral addresses are no resources of their own here."""
        self._state.settle(self.clock.now())
        return self._state.resources(self.clock.now())

    def _call(self, request: Request, fault: Fault | None) -> dict[str, Any]:
        now = self.clock.now()
        route = match(request.method, request.path)
        if route is None:
            raise ApiError(404, "notFound", f"The requested URL {request.path} was not found on this server.")
        if route.collection == "oauth2":
            return {"access_token": f"local-{uuid.uuid4()}", "expires_in": 3600, "token_type": "Bearer"}
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            raise login_required()
        if route.zone is not None:
            catalog.check_zone(route.zone)
        self._state.settle(now)
        if route.collection in limits.COLLECTIONS:
            return limits.answer(self._state, route, full=fault is not None and fault.fault is FaultKind.CAPACITY)
        if route.verb in _READS:
            hidden = fault.delay if fault and fault.fault is FaultKind.STALE else None
            return Reader(self._state, now, hidden).answer(route, request.args)
        return operation(self._change(route, request, now, fault), now)

    def _change(self, route: Route, request: Request, now: float, fault: Fault | None) -> Operation:
        request_id = _request_id(request)
        if replayed := self._state.replay(route.parent, route.verb, request_id):
            return replayed
        change = Change(now, request_id, _failure(route, fault))
        match route.collection, route.verb:
            case "instances", "insert":
                return instances.insert(self._state, route.parent, _body(request), change)
            case "disks", "insert":
                return disks.insert(self._state, route.parent, _body(request), change)
            case "instances", "delete":
                return instances.delete(self._state, route.path, change)
            case "disks", "delete":
                return disks.delete(self._state, route.path, change)
            case _:
                return labels.replace(self._state, route.path, _body(request), change)


def create_app(clock: Clock, sleep: Callable[[float], None]) -> GcpSimulator:
    """An empty Compute Engine with the default timing; it takes any project id and any bearer token."""
    return GcpSimulator(clock, sleep)


def _failure(route: Route, fault: Fault | None) -> Failure | None:
    """How the accepted operation is to fail; deleting takes no capacity."""
    match fault.fault if fault else None:
        case FaultKind.FAIL:
            leaves = route.collection == "instances" and route.verb == "insert"
            return Failure(internal(), fault.delay if fault else 0.0, leaves)
        case FaultKind.CAPACITY if route.verb == "insert":
            return Failure(stockout(last(route.parent), route.parent), fault.delay if fault else 0.0)
        case _:
            return None


def _request_id(request: Request) -> str | None:
    request_id = request.args.get("requestId")
    if request_id is not None:
        try:
            valid = uuid.UUID(request_id).int != 0
        except ValueError:
            valid = False
        if not valid:
            raise invalid("requestId", request_id, "Must be a valid UUID that is not zero.")
    return request_id


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"null")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "parseError", "Parse Error")
    return body


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), 200, content_type="application/json; charset=UTF-8")
