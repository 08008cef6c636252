"""What exists from the start and can only be looked at: resource groups, virtual networks and their subnets."""

from __future__ import annotations

import re
from typing import Any, Final

from local.simulators.azure.errors import ArmError, resource_not_found
from local.simulators.azure.settings import AzureSimulatorSettings

_NETWORK_TYPE: Final = "Microsoft.Network/virtualNetworks"
_PATH: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups(/(?P<group>[^/]+)"
    rf"(?P<networks>/providers/{_NETWORK_TYPE}(/(?P<network>[^/]+)(?P<subnets>/subnets(/(?P<subnet>[^/]+))?)?)?)?)?/?",
    re.IGNORECASE,
)


def standing_operation(path: str) -> str | None:
    """The operation's name for a GET of what is always there; None for any other path."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    if match["subnets"]:
        return "Subnets_Get" if match["subnet"] else "Subnets_List"
    if match["networks"]:
        return "VirtualNetworks_Get" if match["network"] else "VirtualNetworks_List"
    return "ResourceGroups_Get" if match["group"] else "ResourceGroups_List"


def standing_document(path: str, settings: AzureSimulatorSettings) -> dict[str, Any]:
    """The answer to such a GET; raises ArmError if there is no such thing."""
    match = _PATH.fullmatch(path)
    assert match is not None  # noqa: S101 -- the path was recognized as one of ours
    groups = f"/subscriptions/{match['subscription']}/resourceGroups"
    if not match["group"]:
        return {"value": [_group(groups, name) for name in settings.resource_groups]}
    group = group_named(match["group"], settings)
    if not match["networks"]:
        return _group(groups, group)
    networks = f"{groups}/{group}/providers/{_NETWORK_TYPE}"
    if not match["network"]:
        return {"value": [_network(networks, name, settings) for name in settings.networks]}
    name = _named(match["network"], tuple(settings.networks), _NETWORK_TYPE, group)
    if not match["subnets"]:
        return _network(networks, name, settings)
    subnets = settings.networks[name]
    if not match["subnet"]:
        return {"value": [_subnet(f"{networks}/{name}", subnet) for subnet in subnets]}
    return _subnet(f"{networks}/{name}", _named(match["subnet"], subnets, f"{_NETWORK_TYPE}/subnets", group))


def group_named(name: str, settings: AzureSimulatorSettings) -> str:
    """A resource group as it is really spelt; raises ArmError if there is none."""
    for known in settings.resource_groups:
        if known.lower() == name.lower():
            return known
    raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def _named(name: str, known: tuple[str, ...], resource_type: str, group: str) -> str:
    for candidate in known:
        if candidate.lower() == name.lower():
            return candidate
    raise resource_not_found(resource_type, name, group)


def _group(groups: str, name: str) -> dict[str, Any]:
    properties = {"provisioningState": "Succeeded"}
    return {"id": f"{groups}/{name}", "name": name, "location": "global", "properties": properties}


def _network(networks: str, name: str, settings: AzureSimulatorSettings) -> dict[str, Any]:
    properties = {
        "provisioningState": "Succeeded",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [_subnet(f"{networks}/{name}", subnet) for subnet in settings.networks[name]],
    }
    return {
        "id": f"{networks}/{name}",
        "name": name,
        "type": _NETWORK_TYPE,
        "location": "global",
        "properties": properties,
    }


def _subnet(network: str, name: str) -> dict[str, Any]:
    properties = {"provisioningState": "Succeeded", "addressPrefix": "10.0.0.0/16"}
    return {"id": f"{network}/subnets/{name}", "name": name, "properties": properties}
