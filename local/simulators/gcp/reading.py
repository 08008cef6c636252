"""Looking: `get`, `list` and `aggregatedList`, as fresh or as stale as the call happens to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local.simulators.gcp import representations
from local.simulators.gcp.collection import Collection
from local.simulators.gcp.errors import invalid, not_found
from local.simulators.gcp.filters import parse
from local.simulators.gcp.routes import Route
from local.simulators.gcp.state import Disk, Instance, Operation, State

_KINDS: Final = {"instances": "instance", "disks": "disk", "zoneOperations": "operation"}
_MAX_RESULTS: Final = 500


class Reader:
    """One look at the state; what was created within the last `hidden` seconds is not seen."""

    def __init__(self, state: State, now: float, hidden: float | None) -> None:
        self._state = state
        self._now = now
        self._newest = now - hidden if hidden is not None else now

    def answer(self, route: Route, arguments: Mapping[str, str]) -> dict[str, Any]:
        """The JSON that answers a read; raises ApiError when the resource named is not there to be seen."""
        if route.verb == "get":
            found = self._resources(route.collection).get(route.path)
            if found is None or found.created_at > self._newest:
                raise not_found(route.path)
            return self._represent(found)
        page, token = self._page(route, arguments)
        body: dict[str, Any] = {"kind": f"compute#{_KINDS[route.collection]}List", "id": route.parent}
        if token:
            body["nextPageToken"] = token
        if route.verb == "list":
            return {**body, "items": page}
        return {**body, "kind": f"compute#{_KINDS[route.collection]}AggregatedList", "items": _by_zone(page, route)}

    def _page(self, route: Route, arguments: Mapping[str, str]) -> tuple[list[dict[str, Any]], str | None]:
        wanted = parse(arguments.get("filter", ""))
        seen = [
            self._represent(resource)
            for path, resource in self._resources(route.collection).having(wanted.equalities())
            if path.startswith(route.parent + "/") and resource.created_at <= self._newest
        ]
        matching = [resource for resource in seen if wanted.matches(resource)]
        start, size = _number(arguments, "pageToken", 0), _number(arguments, "maxResults", _MAX_RESULTS)
        end = start + min(size, _MAX_RESULTS)
        return matching[start:end], str(end) if end < len(matching) else None

    def _resources(self, collection: str) -> Collection[Instance] | Collection[Disk] | Collection[Operation]:
        match collection:
            case "instances":
                return self._state.instances
            case "disks":
                return self._state.disks
            case _:
                return self._state.operations

    def _represent(self, resource: Instance | Disk | Operation) -> dict[str, Any]:
        match resource:
            case Instance():
                return representations.instance(self._state, resource, self._now)
            case Disk():
                return representations.disk(self._state, resource, self._now)
            case Operation():
                return representations.operation(resource, self._now)


def _by_zone(page: list[dict[str, Any]], route: Route) -> dict[str, Any]:
    zones: dict[str, Any] = {}
    for resource in page:
        scope = "zones/" + resource["zone"].rsplit("/", 1)[-1]
        zones.setdefault(scope, {route.collection: []})[route.collection].append(resource)
    return zones


def _number(arguments: Mapping[str, str], name: str, default: int) -> int:
    value = arguments.get(name, str(default))
    if not value.isdecimal():
        raise invalid(name, value, "Must be a number.")
    return int(value)
