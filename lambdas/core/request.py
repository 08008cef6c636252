"""A request, as a document says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from lambdas.core.durations import Duration, duration_of
from lambdas.core.errors import FieldError, RequestError
from lambdas.core.mistakes import field_errors, relation_errors
from lambdas.core.model import ApprovalPoint
from lambdas.core.specs import PrivateInstance, ResourceDefinition
from lambdas.core.specs.base import Strict

MAX_RESOURCES: Final = 50
"""One execution stays far below 25,000 events: 50 resources of about 350 events each, at the slowest."""

MAX_DOCUMENT_BYTES: Final = 128 * 1024

LONGEST_APPROVAL: Final = timedelta(days=7)
"""With the day that provisioning may take, what the provisioning machine's own time limit allows."""


def _not_ours(key: str) -> str:
    if key.startswith("skysaga"):
        raise ValueError("labels that start with 'skysaga' are skysaga's own")
    return key


def _at_most_a_week(text: str) -> str:
    if duration_of(text) > LONGEST_APPROVAL:
        raise ValueError(f"must be at most {LONGEST_APPROVAL.days}d")
    return text


LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), AfterValidator(_not_ours)]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]


class ApprovalRequest(Strict):
    """Whose consent the saga waits for is decided by who may call the API's `approve`."""

    before: ApprovalPoint = Field(
        strict=False,
        description="provisioning: before anything is created. commit: when everything is ready.",
    )
    within: Annotated[Duration, AfterValidator(_at_most_a_week)] = Field(
        default="24h", description="How long it waits, at most 7d; then it is undone."
    )


class SagaRequest(Strict):
    """One request: resources on several clouds, all of them or none.

    Labels are limited to what every cloud takes as a tag or label (Google's rules are the narrowest).
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] = Field(
        description="What people call it: a-z, 0-9 and -, at most 40 characters."
    )
    ttl: Duration | None = Field(
        default=None,
        description="How long it may live from its submission on, such as 20s, 90m, 8h or 7d; then it is released.",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={}, max_length=16, description="Become tags and labels of everything that is created."
    )
    preflight: bool = Field(
        default=True, description="Ask every cloud for its quotas first, and refuse what cannot be before it begins."
    )
    approval: ApprovalRequest | None = Field(
        default=None, description="Wait for somebody's consent before provisioning, or before the commit."
    )
    resources: list[ResourceDefinition] = Field(
        min_length=1, max_length=MAX_RESOURCES, description="What to create: all of it or nothing."
    )


def parse_request(document: object) -> SagaRequest:
    """The request that a parsed JSON or YAML document stands for; raises RequestError naming every offending field."""
    request: SagaRequest | None = None
    errors: list[FieldError] = []
    try:
        request = SagaRequest.model_validate(document)
    except ValidationError as error:
        errors += field_errors(error, document)
    errors += relation_errors(document)
    if errors or request is None:
        raise RequestError(errors)
    return request


def dependencies(definition: ResourceDefinition) -> tuple[str, ...]:
    """The ids of what must be ready before this resource is created: named, or implied by a disk or a neighbour."""
    near = definition.placement.near if isinstance(definition, PrivateInstance) else None
    return tuple(dict.fromkeys([*definition.depends_on, *definition.attached_disks, *([near] if near else [])]))
