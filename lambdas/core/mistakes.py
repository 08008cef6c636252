"""Everything that can be wrong with a request, in words that say what to change.

Mistakes between resources are read from the document itself, leniently, so that they are found beside those within one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from lambdas.core import locations
from lambdas.core.errors import FieldError
from lambdas.core.graph import find_cycle, ranks
from lambdas.core.specs import (
    KINDS,
    OFFERED,
    PRIVATE_PROVIDERS,
    PROVIDERS,
    AwsDisk,
    PrivateInstance,
    ResourceDefinition,
)
from lambdas.core.specs.base import Definition, ResourceId, quoted

_REASONS: Final = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "extra_forbidden": "unknown field; remove it or correct its spelling",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "invalid_key": "a field's name must be a string",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "missing": "required",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be a string",
    "too_long": "must have at most {max_length} entries, not {actual_length}",
    "too_short": "must have at least {min_length} entries",
}

MAX_WAVES: Final = 50
"""Waves come one after the other, and each takes as long as its slowest resource."""

MAX_MACHINES: Final = 50
"""Machines on private clusters: all of them are worked on in the saga's own execution, of at most 25,000 events."""

MOST_SUGGESTED: Final = 100
"""Mistakes of one request that are answered with what is nearest: looking for that takes a millisecond each."""

_KEY: Final = "[key]"

_LONGEST_NAME: Final = 32  # of a field or label in what is wrong with it; what is longer was hardly mistyped

_LONGEST_CHAIN: Final = 12  # ids of a cycle or a chain that are named; whoever mends it finds the rest along it

_DEFINITION: Final[TypeAdapter[Definition]] = TypeAdapter(ResourceDefinition, config=ConfigDict(defer_build=True))


class _Common(BaseModel):
    """What can be checked of a resource whose provider or kind is unknown."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    id: ResourceId
    depends_on: list[ResourceId] = Field(default=[], max_length=50)


class _Entry(NamedTuple):
    """A resource as it stands in the document, with a usable id."""

    place: int
    id: str
    resource: dict[str, Any]


def field_errors(error: ValidationError, document: object) -> Iterator[FieldError]:
    """What pydantic found, each with the path of its field in the document."""
    for number, detail in enumerate(error.errors(include_url=False)):
        location = _without_tag(detail["loc"])
        if detail["type"] == "union_tag_invalid":
            yield from _unknown_kind_errors(location, document)
        else:
            found = _field_error(location, detail)
            yield _with_suggestion(found, detail.get("input")) if number < MOST_SUGGESTED else found


def relation_errors(document: object) -> Iterator[FieldError]:
    """What is wrong between the resources of a document: ids used twice, dependencies and disks that cannot be."""
    entries = _entries(document)
    yield from _graph_errors(entries)
    yield from _machine_errors(entries)
    definitions = {entry.place: it for entry in entries if (it := _valid(entry.resource)) is not None}
    yield from _zone_errors(definitions)
    yield from _attachment_errors(definitions)
    yield from _near_errors(definitions)


def _without_tag(location: Sequence[int | str]) -> list[int | str]:
    """The location in the document: pydantic adds which member of the union of resources it looked into."""
    in_resource = len(location) > 2 and location[0] == "resources"
    return [*location[:2], *location[3:]] if in_resource else list(location)


def _field_error(location: Sequence[int | str], detail: ErrorDetails) -> FieldError:
    template = _REASONS.get(detail["type"])
    reason = template.format(**detail.get("ctx", {})) if template else detail["msg"].removeprefix("Value error, ")
    if location and location[-1] == _KEY:
        return FieldError(_path(location[:-1]), f"its name {reason}" if template else reason)
    return FieldError(_path(location), reason)


def _unknown_kind_errors(location: Sequence[int | str], document: Any) -> Iterator[FieldError]:
    resource = document["resources"][location[1]]
    if not isinstance(resource, dict):
        yield FieldError(_path(location), "must be an object")
        return
    for field, allowed in (("provider", PROVIDERS), ("kind", KINDS)):
        if field not in resource:
            yield FieldError(_path([*location, field]), f"required: one of {', '.join(allowed)}")
        elif resource[field] not in allowed:
            reason = f"must be one of {', '.join(allowed)}, not {quoted(resource[field])}"
            yield FieldError(_path([*location, field]), reason)
    provider, kind = resource.get("provider"), resource.get("kind")
    if provider in PROVIDERS and kind in KINDS and (provider, kind) not in OFFERED:
        yield FieldError(_path([*location, "kind"]), _not_offered(provider, kind))
    try:
        _Common.model_validate(resource)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield _field_error([*location, *detail["loc"]], detail)


def _not_offered(provider: str, kind: str) -> str:
    if provider in PRIVATE_PROVIDERS:
        return f"{provider} has no disks of their own; give its instances placement.disk_gb"
    return f"{provider} has no {kind}s"


def _with_suggestion(error: FieldError, value: object) -> FieldError:
    """Add the nearest known place to a reason that says a place is unknown."""
    reason = error.reason
    for what, places in (
        ("AWS region", locations.AWS_REGIONS),
        ("Azure region", locations.AZURE_REGIONS),
        ("Google Cloud zone", locations.GCP_ZONES),
    ):
        if reason.startswith(f"unknown {what}"):
            near = difflib.get_close_matches(str(value), sorted(places), n=3)
            return error._replace(reason=f"{reason}; did you mean {' or '.join(near)}?") if near else error
    return error


def _entries(document: object) -> list[_Entry]:
    resources = document.get("resources") if isinstance(document, dict) else None
    return [
        _Entry(index, resource["id"], resource)
        for index, resource in enumerate(resources if isinstance(resources, list) else ())
        if isinstance(resource, dict) and isinstance(resource.get("id"), str)
    ]


def _graph_errors(entries: Sequence[_Entry]) -> Iterator[FieldError]:
    first: dict[str, _Entry] = {}
    for entry in entries:
        if first.setdefault(entry.id, entry) is not entry:
            yield FieldError(f"resources[{entry.place}].id", f"{quoted(entry.id)} is used twice; ids are unique")
    edges: dict[str, list[str]] = {}
    for entry in entries:
        for field, named in _references(entry):
            if named not in first:
                yield FieldError(f"resources[{entry.place}].{field}", f"no resource {quoted(named)} in this request")
            edges.setdefault(entry.id, []).append(named)
    cycle = find_cycle(edges)
    if cycle:
        yield FieldError(f"resources[{first[cycle[0]].place}].depends_on", f"a cycle: {_along(cycle)}")
    else:
        yield from _chain_errors(first, edges)


def _chain_errors(first: Mapping[str, _Entry], edges: Mapping[str, Sequence[str]]) -> Iterator[FieldError]:
    """The first resource that so many others come before, one after the other, that it would be in a wave too many."""
    rank = ranks(edges)
    late = next((entry for entry in first.values() if rank.get(entry.id, 0) >= MAX_WAVES), None)
    if late is None:
        return
    chain = [late.id]
    while needed := edges.get(chain[-1]):
        chain.append(max(needed, key=lambda it: rank[it]))
    reason = (
        f"a chain of {rank[late.id] + 1} resources, each of which waits for the next: {_along(chain)}; "
        f"at most {MAX_WAVES} may come one after the other: let some of them depend on less"
    )
    yield FieldError(f"resources[{late.place}].depends_on", reason)


def _along(chain: Sequence[str]) -> str:
    """A chain in one line, without its middle where it is long."""
    if len(chain) > _LONGEST_CHAIN:
        half = _LONGEST_CHAIN // 2
        chain = [*chain[:half], f"({len(chain) - 2 * half} more)", *chain[-half:]]
    return " -> ".join(name if len(name) <= _LONGEST_NAME else f"({len(name)} characters)" for name in chain)


def _machine_errors(entries: Sequence[_Entry]) -> Iterator[FieldError]:
    """The first machine on a private cluster that is one too many."""
    machines = [entry for entry in entries if entry.resource.get("provider") in PRIVATE_PROVIDERS]
    if len(machines) > MAX_MACHINES:
        reason = (
            f"machine {MAX_MACHINES + 1} of {len(machines)} on private clusters; "
            f"a request has at most {MAX_MACHINES} of them: make several requests"
        )
        yield FieldError(f"resources[{machines[MAX_MACHINES].place}].provider", reason)


def _references(entry: _Entry) -> Iterator[tuple[str, str]]:
    spec = entry.resource.get("spec")
    disks = spec.get("disks") if isinstance(spec, dict) else None
    for field, named in (("depends_on", entry.resource.get("depends_on")), ("spec.disks", disks)):
        for position, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str):
                yield f"{field}[{position}]", name
    placement = entry.resource.get("placement")
    near = placement.get("near") if isinstance(placement, dict) else None
    if isinstance(near, str):
        yield "placement.near", near


def _zone_errors(definitions: Mapping[int, Definition]) -> Iterator[FieldError]:
    for index, definition in definitions.items():
        zone = _zone_of(definition)
        if zone is not None and not zone.startswith(definition.location):
            yield FieldError(f"resources[{index}].spec.zone", f"{quoted(zone)} is not in {definition.location}")


def _zone_of(definition: Definition) -> str | None:
    """The zone that a disk of a cloud with regions is to be in."""
    return definition.spec.zone if isinstance(definition, AwsDisk) else None


def _attachment_errors(definitions: Mapping[int, Definition]) -> Iterator[FieldError]:
    """What is wrong with attached disks, as far as both ends of an attachment are valid by themselves."""
    by_id = {definition.id: definition for definition in definitions.values()}
    holders: dict[str, str] = {}
    for index, definition in definitions.items():
        zones = [zone for disk in definition.attached_disks if disk in by_id and (zone := _zone_of(by_id[disk]))]
        if len(set(zones)) > 1:
            yield FieldError(f"resources[{index}].spec.disks", f"are in different zones: {', '.join(zones)}")
        for position, disk_id in enumerate(definition.attached_disks):
            reason = _cannot_attach(definition, by_id.get(disk_id), holders.get(disk_id))
            holders.setdefault(disk_id, definition.id)
            if reason:
                yield FieldError(f"resources[{index}].spec.disks[{position}]", reason)


def _near_errors(definitions: Mapping[int, Definition]) -> Iterator[FieldError]:
    """What is wrong with machines that are to share another one's cluster, as far as both are valid by themselves."""
    by_id = {definition.id: definition for definition in definitions.values()}
    for index, definition in definitions.items():
        if not isinstance(definition, PrivateInstance) or definition.placement.near not in by_id:
            continue
        reason = _cannot_be_near(definition, by_id[definition.placement.near])
        if reason:
            yield FieldError(f"resources[{index}].placement.near", reason)


def _cannot_be_near(instance: PrivateInstance, other: Definition) -> str | None:
    if not isinstance(other, PrivateInstance):
        return f"{quoted(other.id)} is on no private cluster"
    group = instance.placement.anti_affinity
    if group is not None and group == other.placement.anti_affinity:
        return f"{quoted(other.id)} is in the same anti-affinity group, so they cannot share a cluster"
    return _apart(instance, other)


def _valid(resource: dict[str, Any]) -> Definition | None:
    try:
        return _DEFINITION.validate_python(resource)
    except ValidationError:
        return None


def _cannot_attach(instance: Definition, disk: Definition | None, holder: str | None) -> str | None:
    if disk is None:
        return None
    if holder is not None:
        return f"{quoted(disk.id)} is already attached to {quoted(holder)}"
    if disk.kind != "disk":
        return f"{quoted(disk.id)} is not a disk"
    return _apart(instance, disk)


def _apart(instance: Definition, other: Definition) -> str | None:
    """Why something is not where the instance is."""
    if other.provider != instance.provider:
        return f"{quoted(other.id)} is on {other.provider}, not on {instance.provider}"
    if other.target != instance.target:
        return f"{quoted(other.id)} is in the target {quoted(other.target)}, not in {quoted(instance.target)}"
    if other.location != instance.location:
        return f"{quoted(other.id)} is in {other.location}, not in {instance.location}"
    return None


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        name = part if isinstance(part, int) or len(part) <= _LONGEST_NAME else f"({len(part)} characters)"
        path += f"[{name}]" if isinstance(name, int) else f".{name}" if path else name
    return path or "(document)"
