"""A request, and everything that can be wrong with one, found at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from lambdas.core import locations
from lambdas.core.errors import FieldError, RequestError
from lambdas.core.graph import find_cycle
from lambdas.core.specs import KINDS, PROVIDERS, Disk, Instance, ResourceDefinition
from lambdas.core.specs.base import Strict

MAX_RESOURCES: Final = 50
"""One execution stays far below 25,000 events: 50 resources of about 350 events each, at the slowest."""

MAX_DOCUMENT_BYTES: Final = 128 * 1024


def _not_ours(key: str) -> str:
    if key.startswith("skysaga"):
        raise ValueError("labels that start with 'skysaga' are skysaga's own")
    return key


LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), AfterValidator(_not_ours)]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]


class SagaRequest(Strict):
    """One request: resources on several clouds, all of them or none.

    Labels are limited to what every cloud takes as a tag or label (Google's rules are the narrowest).
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    labels: dict[LabelKey, LabelValue] = Field(default={}, max_length=16)
    resources: list[ResourceDefinition] = Field(min_length=1, max_length=MAX_RESOURCES)


def parse_request(document: object) -> SagaRequest:
    """The request that a parsed JSON or YAML document stands for; raises RequestError naming every offending field."""
    errors: list[FieldError] = []
    request: SagaRequest | None = None
    try:
        request = SagaRequest.model_validate(document)
    except ValidationError as error:
        errors += [_field_error(detail, document) for detail in error.errors(include_url=False)]
    errors += _graph_errors(document)
    if request is not None and not errors:
        errors += _attachment_errors(request)
    if errors or request is None:
        raise RequestError(errors)
    return request


def dependencies(definition: ResourceDefinition) -> tuple[str, ...]:
    """The ids of what must be ready before this resource is created: named, or implied by an attached disk."""
    return tuple(dict.fromkeys([*definition.depends_on, *definition.attached_disks]))


_REASONS: Final = {
    "extra_forbidden": "unknown field; remove it or correct its spelling",
    "missing": "required",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_pattern_mismatch": "must match {pattern}",
}


def _field_error(detail: ErrorDetails, document: object) -> FieldError:
    location = [part for part in detail["loc"] if not (isinstance(part, str) and "/" in part)]
    if detail["type"] == "union_tag_invalid":
        return _unknown_provider_or_kind(location, document)
    template = _REASONS.get(detail["type"])
    reason = template.format(**detail.get("ctx", {})) if template else detail["msg"].removeprefix("Value error, ")
    return FieldError(_path(location), _with_suggestion(reason, detail.get("input")))


def _unknown_provider_or_kind(location: Sequence[int | str], document: object) -> FieldError:
    resource = _at(document, location)
    if not isinstance(resource, dict):
        return FieldError(_path(location), "must be an object")
    provider = resource.get("provider")
    if provider not in PROVIDERS:
        return FieldError(_path([*location, "provider"]), f"must be one of {', '.join(PROVIDERS)}, not {provider!r}")
    return FieldError(_path([*location, "kind"]), f"must be one of {', '.join(KINDS)}, not {resource.get('kind')!r}")


def _with_suggestion(reason: str, value: object) -> str:
    """Add the nearest known place to a reason that says a place is unknown."""
    for what, places in (
        ("AWS region", locations.AWS_REGIONS),
        ("Azure region", locations.AZURE_REGIONS),
        ("Google Cloud zone", locations.GCP_ZONES),
    ):
        if reason.startswith(f"unknown {what}"):
            near = difflib.get_close_matches(str(value), sorted(places), n=3)
            return f"{reason}; did you mean {' or '.join(near)}?" if near else reason
    return reason


def _graph_errors(document: object) -> Iterator[FieldError]:
    """What is wrong between resources, read leniently so that it is found beside errors within them."""
    resources = _resources(document)
    ids = [resource.get("id") for _, resource in resources]
    edges: dict[str, list[str]] = {}
    for index, resource in resources:
        if ids.index(resource.get("id")) != resources.index((index, resource)) and isinstance(resource.get("id"), str):
            yield FieldError(f"resources[{index}].id", f"{resource['id']!r} is used twice; ids are unique")
        for field, named in _references(resource):
            if named not in ids:
                yield FieldError(f"resources[{index}].{field}", f"no resource {named!r} in this request")
            edges.setdefault(str(resource.get("id")), []).append(named)
    cycle = find_cycle(edges)
    if cycle:
        first = ids.index(cycle[0])
        yield FieldError(f"resources[{resources[first][0]}].depends_on", f"a cycle: {' -> '.join(cycle)}")


def _references(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = resource.get("spec")
    disks = spec.get("disks") if isinstance(spec, dict) else None
    for field, named in (("depends_on", resource.get("depends_on")), ("spec.disks", disks)):
        for position, name in enumerate(named if isinstance(named, list) else ()):
            if isinstance(name, str):
                yield f"{field}[{position}]", name


def _attachment_errors(request: SagaRequest) -> Iterator[FieldError]:
    by_id = {definition.id: definition for definition in request.resources}
    owner: dict[str, str] = {}
    for index, definition in enumerate(request.resources):
        for position, disk_id in enumerate(definition.attached_disks):
            field = f"resources[{index}].spec.disks[{position}]"
            reason = _cannot_attach(definition, by_id[disk_id])
            if reason:
                yield FieldError(field, reason)
            elif owner.setdefault(disk_id, definition.id) != definition.id:
                yield FieldError(field, f"{disk_id!r} is already attached to {owner[disk_id]!r}")


def _cannot_attach(instance: Instance | Disk, disk: Instance | Disk) -> str | None:
    if disk.kind != "disk":
        return f"{disk.id!r} is not a disk"
    if disk.provider != instance.provider:
        return f"{disk.id!r} is on {disk.provider}, not on {instance.provider}"
    if disk.location != instance.location:
        return f"{disk.id!r} is in {disk.location}, not in {instance.location}"
    return None


def _resources(document: object) -> list[tuple[int, dict[str, Any]]]:
    resources = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(resources, list):
        return []
    return [(index, resource) for index, resource in enumerate(resources) if isinstance(resource, dict)]


def _at(document: Any, location: Sequence[int | str]) -> Any:
    for part in location:
        document = document[part]
    return document


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "(document)"
