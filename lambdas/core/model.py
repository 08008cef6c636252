"""What the ledger remembers of a saga (header, resources, events), and the intent that a provider acts on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from lambdas.core.clusters import Claim
from lambdas.core.specs import ResourceDefinition
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.targets import Target

MARK_SAGA: Final = "skysaga-saga"
MARK_RESOURCE: Final = "skysaga-resource"
MARK_VERSION: Final = "skysaga-version"
MARK_FORMAT: Final = "1"

_TOKENS: Final = uuid.UUID("6c1f7a52-3c0d-5d43-9d5e-5b6f3a4e9c11")


class Record(BaseModel):
    """A value that is never changed in place: `record.model_copy(update=...)` makes the next one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)


class ApprovalPoint(StrEnum):
    """What needs somebody's consent; the names are part of a request."""

    PROVISIONING = "provisioning"
    COMMIT = "commit"


class Approval(Record):
    """The consent that a saga asks for once, and waits for until `approve_by`.

    `tokens` are those of the tasks that wait for it: one, or more where asking had to be tried again.
    """

    before: ApprovalPoint
    within: timedelta
    approve_by: datetime | None = None
    tokens: tuple[str, ...] = ()
    approved_by: str | None = None
    approved_at: datetime | None = None


class Division(Record):
    """How a saga is divided that has too many resources for one order of writes.

    `waves` says how many resources each wave has, and `shards` how many shards there are, over all waves.
    """

    waves: tuple[int, ...]
    shards: int


class Saga(Record):
    """The header of one request.

    `version` counts every write to the saga or to one of its resources, and is the number of its latest event; of a
    divided one, every write to the saga alone. `waves` are resource ids in creation order: everything in a wave may be
    created at once; a divided saga has its `division` instead. `clouds` are those that it has resources on. At
    `expires_at` the saga is released, whatever it is doing then. `unchecked` are the clouds whose preflight could not
    be made. A release first left something behind at `attention_since`, and none has removed it yet. It has its status
    since `status_since`, or since it was created.
    """

    id: str
    name: str
    status: SagaStatus = SagaStatus.PENDING
    version: int = 0
    caller: str
    labels: Mapping[str, str] = {}
    waves: tuple[tuple[str, ...], ...] = ()
    division: Division | None = None
    clouds: tuple[str, ...] = ()
    created_at: datetime
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    preflight: bool = True
    approval: Approval | None = None
    unchecked: tuple[str, ...] = ()
    cancel_requested: bool = False
    attention_since: datetime | None = None
    status_since: datetime | None = None
    release_goal: Literal[SagaStatus.ROLLED_BACK, SagaStatus.RELEASED] | None = None

    @property
    def wave_sizes(self) -> tuple[int, ...]:
        """How many resources each wave has."""
        return self.division.waves if self.division else tuple(len(wave) for wave in self.waves)


class Shard(Record):
    """What stands in for the header of a divided saga where its resources of one shard are written.

    Of one `wave`, it has in `saga` the header as it was at the version `header`, and as its own `version` the number of
    the latest event of its resources, which was written at `written_at`. `counts` says how many of them have a status,
    the last of which became READY at `ready_at`.
    """

    saga: Saga
    number: int
    wave: int
    header: int = 1
    version: int = 0
    counts: Mapping[ResourceStatus, int]
    written_at: datetime
    ready_at: datetime | None = None

    def as_header(self) -> Saga:
        """The saga as its resources see it: what is decided about them depends on nothing else of it."""
        return self.saga.model_copy(update={"version": self.version})


class Position(Record):
    """Where a resource of a divided saga belongs."""

    wave: int
    shard: int


class Attempt(Record):
    """A create that was sent, or was about to be; `token` tells it from everybody else's."""

    token: str
    at: datetime


class Resource(Record):
    """One resource of a saga and how far it is; also its intent, once it is CREATING.

    `revision` counts the writes to it. `target` is what the target it names stood for when the saga was opened. In a
    divided saga it has a `position`.
    Of a private one, `cluster` is where it was placed last, `claim` what it takes of it as long as it lives or is being
    built there, and `refused_by` the clusters that had no room for it after all. `attempt` is a create whose answer is
    not known: where the cloud does not recognise a repeated request, it must not be repeated too soon. `trouble` counts
    the faults since it was last ready or absent. It was first ready at `ready_at` and gone at `gone_at`, whatever is
    found of it later.
    """

    saga_id: str
    definition: ResourceDefinition
    target: Target | None = None
    position: Position | None = None
    revision: int = 0
    status: ResourceStatus = ResourceStatus.PLANNED
    cluster: str | None = None
    claim: Claim | None = None
    refused_by: tuple[str, ...] = ()
    attempt: Attempt | None = None
    operations: Mapping[str, str] = {}
    cloud_id: str | None = None
    error: str | None = None
    trouble: int = 0
    created_at: datetime | None = None
    ready_at: datetime | None = None
    release_began_at: datetime | None = None
    absent_since: datetime | None = None
    gone_at: datetime | None = None

    @property
    def id(self) -> str:
        """Its id in the request."""
        return self.definition.id

    @property
    def moving(self) -> bool:
        """Whether its cluster has refused it, and what is left of it there has to go before it is placed again."""
        return self.claim is not None and self.claim.cluster in self.refused_by


class Fault(NamedTuple):
    """What may pass by itself, and kept a step from its end: which step it was, and the cloud's code."""

    step: str
    error: str


class Event(Record):
    """One change, as it was made: to the saga itself, or to the resource named.

    Numbers are given by the header, or by the `shard` of a divided saga that the resource belongs to. Where `step` met
    a fault that may pass, `error` is the cloud's code, and the status is what it was before.
    """

    seq: int
    shard: int | None = None
    at: datetime
    resource_id: str | None = None
    status: str
    message: str | None = None
    step: str | None = None
    error: str | None = None


class AttachedDisk(NamedTuple):
    """A disk of the same request that an instance is to have; `zone` where its cloud places disks in one by choice."""

    resource_id: str
    name: str
    cloud_id: str
    zone: str | None = None


class Intent(Record):
    """What a provider is asked to create, look at, or remove. Everything it needs follows from this.

    `operations` maps each part that was begun to the handle its cloud gave for it, opaque to all but the provider
    (empty where the cloud gives none). Without a `target` it is placed wherever the function's own environment says;
    a private one is on `cluster`.
    """

    saga_id: str
    definition: ResourceDefinition
    target: Target | None = None
    cluster: str | None = None
    labels: Mapping[str, str] = {}
    disks: tuple[AttachedDisk, ...] = ()
    operations: Mapping[str, str] = {}

    @property
    def resource_id(self) -> str:
        """Its id in the request."""
        return self.definition.id

    @property
    def name(self) -> str:
        """Its name in the cloud: at most 48 characters of a-z, 0-9 and -, starting with a letter."""
        return cloud_name(self.saga_id, self.resource_id)

    @property
    def marks(self) -> dict[str, str]:
        """The tags, labels or annotations that every part of it carries."""
        return {
            **self.labels,
            MARK_SAGA: self.saga_id,
            MARK_RESOURCE: self.resource_id,
            MARK_VERSION: MARK_FORMAT,
        }

    def token(self, part: str) -> str:
        """The idempotency token for creating `part`: a UUID that is the same however often it is asked for."""
        return token_of(self.saga_id, self.resource_id, part)


def token_of(saga_id: str, resource_id: str, part: str) -> str:
    """The idempotency token for creating a part of a resource, a UUID."""
    return str(uuid.uuid5(_TOKENS, f"{saga_id}/{resource_id}/{part}"))


def cloud_name(saga_id: str, resource_id: str) -> str:
    """The name a resource has in its cloud, the same in every step and every retry."""
    return f"{saga_id}-{resource_id}"
