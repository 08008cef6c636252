"""Which operation of Azure's API a request asks for, and on what."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from werkzeug.wrappers import Request

from local.simulators.azure import costs, prices
from local.simulators.azure.disks import DISKS
from local.simulators.azure.limits import limits_operation
from local.simulators.azure.machines import MACHINES
from local.simulators.azure.network import ADDRESSES, INTERFACES
from local.simulators.azure.resource import ResourceKind
from local.simulators.azure.standing import standing_operation

IDENTITY_PATH: Final = "/_identity/token"
KINDS: Final[dict[str, ResourceKind]] = {kind.type.lower(): kind for kind in (MACHINES, DISKS, INTERFACES, ADDRESSES)}
_RESOURCES: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(/resourceGroups/(?P<group>[^/]+))?/providers/(?P<type>[^/]+/[^/]+)"
    r"(/(?P<name>[^/]+)(/(?P<child>[^/]+))?)?/?",
    re.IGNORECASE,
)
_COSTS: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/+providers/Microsoft\.CostManagement/query", re.IGNORECASE
)
_OPERATION: Final = re.compile(
    r"/subscriptions/[^/]+/providers/[^/]+/locations/[^/]+/operations/(?P<id>[^/]+)", re.IGNORECASE
)
_VERBS: Final = {"PUT": "CreateOrUpdate", "GET": "Get", "DELETE": "Delete", "PATCH": "Update"}


class Target(NamedTuple):
    """What a request is about: `operation` is named as in Azure's API specifications, such as `Disks_Get`.

    `standing` is what exists from the start and can only be looked at, `limits` what a subscription may have.
    """

    operation: str
    kind: ResourceKind | None = None
    subscription: str = ""
    group: str | None = None
    name: str = ""
    standing: bool = False
    limits: bool = False


def target_of(request: Request) -> Target:
    """The target of a request; what is unknown is `Unknown`."""
    if target := _apart(request):
        return target
    if request.method == "GET" and (operation := standing_operation(request.path)):
        return Target(operation, standing=True)
    if request.method == "GET" and (operation := limits_operation(request.path)):
        return Target(operation, limits=True)
    match = _RESOURCES.fullmatch(request.path)
    kind = KINDS.get(match["type"].lower()) if match else None
    if match is None or kind is None:
        return Target("Unknown")
    verb = _verb(request.method, match["name"], match["child"])
    return Target(f"{kind.operations}_{verb}", kind, match["subscription"], match["group"], match["name"] or "")


def _apart(request: Request) -> Target | None:
    """The target of a request that is about no resource."""
    if request.path == IDENTITY_PATH:
        return Target("ManagedIdentity_Token")
    if request.path == prices.PATH:
        return Target(prices.OPERATION)
    if match := _OPERATION.fullmatch(request.path):
        return Target("Operations_Get", name=match["id"])
    if request.method == "POST" and (match := _COSTS.fullmatch(request.path)):
        return Target(costs.OPERATION, subscription=match["subscription"])
    return None


def _verb(method: str, name: str | None, child: str | None) -> str:
    if not name:
        return "List" if method == "GET" else "Unknown"
    if child:
        return "InstanceView" if (method, child) == ("GET", "instanceView") else "Unknown"
    return _VERBS.get(method, "Unknown")
