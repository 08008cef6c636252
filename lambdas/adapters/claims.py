"""What is claimed of private clusters, as items of the ledger's table.

| pk             | sk       | what                                                                       |
|----------------|----------|----------------------------------------------------------------------------|
| `CLUSTER#name` | `CLAIMS` | the sums `cpu`, `memory_mb`, `disk_gb`; a `group#...` and its holder; `drained` |

A sum only ever changes in the transaction that changes the claim of a resource, so it is what the resources say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lambdas.core.clusters import Amounts, Claim, Claimed

_GROUP: Final = "group#"
_DRAINED: Final = "drained"
_ROOM: Final = "cpu <= :cpu_left AND memory_mb <= :memory_mb_left AND disk_gb <= :disk_gb_left"


def claims_key(cluster: str) -> dict[str, Any]:
    """The key of a cluster's claims."""
    return {"pk": {"S": f"CLUSTER#{cluster}"}, "sk": {"S": "CLAIMS"}}


def claim_update(table: str, claim: Claim, holder: str, bounds: Amounts | None) -> dict[str, Any]:
    """The part of a transaction that makes a claim for a holder.

    It fails on a cluster that is drained, whose group is held, or of which more than `bounds` would be claimed in all;
    without bounds it never fails: what lives is claimed, whether there is room for it or not.
    """
    add, values = _added(claim.amounts)
    names: dict[str, str] = {}
    conditions = []
    if bounds is not None:
        conditions.append(_within(claim.amounts, bounds, values))
        conditions.append(f"attribute_not_exists({_DRAINED})")
    if claim.group:
        add += " SET #group = :holder"
        names["#group"] = _GROUP + claim.group
        values[":holder"] = {"S": holder}
        conditions.append("attribute_not_exists(#group)")
    return _update(table, claim.cluster, add, " AND ".join(conditions), names, values)


def release_update(table: str, claim: Claim) -> dict[str, Any]:
    """The part of a transaction that frees a claim."""
    add, values = _added(Amounts() - claim.amounts)
    names = {}
    if claim.group:
        add += " REMOVE #group"
        names["#group"] = _GROUP + claim.group
    return _update(table, claim.cluster, add, "", names, values)


def drain_update(table: str, cluster: str, drained: bool) -> dict[str, Any]:
    """The arguments of an update after which a cluster takes nothing new, or does again."""
    update = f"SET {_DRAINED} = :true" if drained else f"REMOVE {_DRAINED}"
    values = {":true": {"BOOL": True}} if drained else {}
    arguments: dict[str, Any] = _update(table, cluster, update, "", {}, values)["Update"]
    return arguments


def claimed_of(item: Mapping[str, Any]) -> Claimed:
    """What an item says is claimed; nothing, where there is no item yet."""
    amounts = Amounts(**{name: int(item[name]["N"]) for name in Amounts.model_fields if name in item})
    groups = {name.removeprefix(_GROUP): item[name]["S"] for name in item if name.startswith(_GROUP)}
    return Claimed(amounts, groups, drained=_DRAINED in item)


def _added(amounts: Amounts) -> tuple[str, dict[str, Any]]:
    values = {f":{name}": {"N": str(value)} for name, value in amounts.model_dump().items()}
    return "ADD cpu :cpu, memory_mb :memory_mb, disk_gb :disk_gb", values


def _within(amounts: Amounts, bounds: Amounts, values: dict[str, Any]) -> str:
    """The condition that a claim fits. The first finds no sums to compare with: it fits if there is room."""
    left = bounds - amounts
    values |= {f":{name}_left": {"N": str(value)} for name, value in left.model_dump().items()}
    return f"(attribute_not_exists(cpu) OR ({_ROOM}))" if amounts.within(bounds) else f"({_ROOM})"


def _update(
    table: str, cluster: str, update: str, condition: str, names: dict[str, str], values: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": claims_key(cluster),
            "UpdateExpression": update,
            **({"ConditionExpression": condition} if condition else {}),
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
        }
    }
