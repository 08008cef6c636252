"""Which method of the Compute Engine API a request calls, and on what.

Source: https://cloud.google.com/compute/docs/reference/rest/v1
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ZONE: Final = r"/compute/v1/(?P<parent>projects/[^/]+/zones/(?P<zone>[^/]+))"
_PROJECT: Final = r"/compute/v1/(?P<parent>projects/[^/]+)"
_NAME: Final = r"/(?P<name>[^/]+)"

_ROUTES: Final = [
    (method, re.compile(pattern), operation)
    for method, pattern, operation in (
        ("POST", f"{_ZONE}/instances", "instances.insert"),
        ("GET", f"{_ZONE}/instances", "instances.list"),
        ("GET", f"{_ZONE}/instances{_NAME}", "instances.get"),
        ("DELETE", f"{_ZONE}/instances{_NAME}", "instances.delete"),
        ("POST", f"{_ZONE}/instances{_NAME}/setLabels", "instances.setLabels"),
        ("GET", f"{_PROJECT}/aggregated/instances", "instances.aggregatedList"),
        ("POST", f"{_ZONE}/disks", "disks.insert"),
        ("GET", f"{_ZONE}/disks", "disks.list"),
        ("GET", f"{_ZONE}/disks{_NAME}", "disks.get"),
        ("DELETE", f"{_ZONE}/disks{_NAME}", "disks.delete"),
        ("POST", f"{_ZONE}/disks{_NAME}/setLabels", "disks.setLabels"),
        ("GET", f"{_PROJECT}/aggregated/disks", "disks.aggregatedList"),
        ("GET", f"{_ZONE}/operations", "zoneOperations.list"),
        ("GET", f"{_ZONE}/operations{_NAME}", "zoneOperations.get"),
        ("GET", f"{_PROJECT}/regions{_NAME}", "regions.get"),
        ("GET", _ZONE, "zones.get"),
        ("GET", f"{_ZONE}/machineTypes{_NAME}", "machineTypes.get"),
        ("POST", r"/(?P<parent>_token)", "oauth2.token"),
    )
]


class Route(NamedTuple):
    """One call: `collection` and `verb` of the method, the project or zone it is in, and the resource's name."""

    collection: str
    verb: str
    parent: str
    zone: str | None
    name: str | None

    @property
    def path(self) -> str:
        """The path of the resource named."""
        return f"{self.parent}/{'operations' if self.collection == 'zoneOperations' else self.collection}/{self.name}"


def match(method: str, path: str) -> Route | None:
    """The call that a request makes; None when the simulator does not know it."""
    for allowed, pattern, operation in _ROUTES:
        if method == allowed and (found := pattern.fullmatch(path)):
            collection, _, verb = operation.partition(".")
            parts = found.groupdict()
            return Route(collection, verb, parts["parent"], parts.get("zone"), parts.get("name"))
    return None
