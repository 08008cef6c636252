"""A request, as a document says it."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, islice
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from lambdas.core.durations import Duration, duration_of
from lambdas.core.errors import RequestError
from lambdas.core.mistakes import MAX_MACHINES, MAX_WAVES, field_errors, relation_errors
from lambdas.core.model import ApprovalPoint
from lambdas.core.specs import PrivateInstance, ResourceDefinition
from lambdas.core.specs.base import Strict

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "MAX_MACHINES",
    "MAX_RESOURCES",
    "MAX_WAVES",
    "MOST_FOUND",
    "ApprovalRequest",
    "SagaRequest",
    "dependencies",
    "parse_request",
]

MAX_RESOURCES: Final = 10_000
"""As many as are submitted, worked on and shown within the limits of every service in between."""

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
"""A function is called with at most 6 MB, in which a document is a JSON string, with its headers beside it.

In base64, as API Gateway hands on what is not said to be text or JSON, 4 MiB are 5.6 MB. As text every quote, backslash
and end of line takes another byte, so there is room for 2 million of them, almost one in every two bytes. JSON without
blanks has no more quotes than that: `"a",` over and over has two in four, and a resource has more than `depends_on`.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

MOST_FOUND: Final = 1000
"""Mistakes of one request that are looked for; 10,000 resources have room for more than anybody waits for."""

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
    """The request that a parsed JSON or YAML document stands for.

    Raises RequestError naming every offending field, or the first MOST_FOUND of them.
    """
    request: SagaRequest | None = None
    found = relation_errors(document)
    try:
        request = SagaRequest.model_validate(document)
    except ValidationError as error:
        found = chain(field_errors(error, document), found)
    errors = list(islice(found, MOST_FOUND))
    if errors or request is None:
        raise RequestError(errors)
    return request


def dependencies(definition: ResourceDefinition) -> tuple[str, ...]:
    """The ids of what must be ready before this resource is created: named, or implied by a disk or a neighbour."""
    near = definition.placement.near if isinstance(definition, PrivateInstance) else None
    return tuple(dict.fromkeys([*definition.depends_on, *definition.attached_disks, *([near] if near else [])]))
