"""Every document that the API answers with: what callers may rely on, and what the OpenAPI document is made from.

A field that is added breaks nobody, since callers leave alone what they do not know; one that is there stays.
"""

from __future__ import annotations

from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic takes the standard TypedDict from Python 3.12 on
)

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from lambdas.core.model import ApprovalPoint
from lambdas.core.states import ResourceStatus, SagaStatus

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Decimals = Annotated[str, Field(description="An exact decimal in text: JSON's numbers may be rounded.")]
Provider = Annotated[str, Field(description="aws, azure, gcp, vsphere, scvmm, or a cloud that was added since.")]


class Health(TypedDict):
    """That the API is up."""

    status: Literal["ok"]


class FieldProblem(TypedDict):
    """One thing that is wrong with a call."""

    field: Annotated[str, Field(description="As in `resources[2].spec.size`; a parameter's or header's name.")]
    reason: Annotated[str, Field(description="What is wrong, and what to do.")]


class Problem(TypedDict):
    """A problem document (RFC 9457); docs/api.md lists the types."""

    type: Annotated[str, Field(description="A reference that stays the same, as in `/problems/no-such-saga`.")]
    title: Annotated[str, Field(description="The same for every problem of the type.")]
    status: int
    detail: NotRequired[Annotated[str, Field(description="What is the matter this time.")]]
    errors: Annotated[list[FieldProblem], Field(description="Every field that is wrong, all at once.")]


class GatewayMessage(TypedDict):
    """What API Gateway answers by itself, before a call reaches the API."""

    message: str | None


class Accepted(TypedDict):
    """A saga whose change has been recorded, and will be acted on."""

    id: str
    status: SagaStatus


class ApprovalState(TypedDict):
    """The consent that a saga waits for, or has been given."""

    before: ApprovalPoint
    approve_by: Annotated[Time | None, Field(description="Until when; null before it is asked for.")]
    approved_by: str | None
    approved_at: Time | None


class SagaSummary(TypedDict):
    """A saga without its resources."""

    id: str
    name: str
    status: SagaStatus
    caller: Annotated[str, Field(description="Who submitted it: an ARN, or a token's issuer and subject.")]
    version: Annotated[
        int, Field(description="Counts every change; of more than 50 resources, only those of the saga itself.")
    ]
    labels: dict[str, str]
    created_at: Time
    finished_at: Annotated[Time | None, Field(description="When it last came to an end; null while it is at work.")]
    expires_at: Annotated[Time | None, Field(description="When its time to live runs out, if it has one.")]
    cancel_requested: bool
    approval: Annotated[ApprovalState | None, Field(description="Null where its request asks for no approval.")]
    waves: Annotated[
        list[list[str]],
        Field(
            description="Ids of resources, in the order in which they are created. Empty for a saga of more than 50 "
            "resources: these say themselves what they depend on."
        ),
    ]


class ResourceState(TypedDict):
    """One resource of a saga, and how far it is."""

    id: str
    provider: Provider
    kind: Literal["instance", "disk"]
    target: str
    location: Annotated[str | None, Field(description="Its region or zone; null on a private cloud.")]
    depends_on: Annotated[list[str], Field(description="What must be ready first, whether named or implied.")]
    status: ResourceStatus
    cluster: Annotated[str | None, Field(description="Where it was placed on a private cloud.")]
    cloud_id: Annotated[str | None, Field(description="Its id in its cloud, once it has one.")]
    begun: Annotated[list[str], Field(description="The parts of it that its cloud has accepted, in order.")]
    error: Annotated[str | None, Field(description="Why it failed or is stuck; begins with the cloud's own code.")]
    faults: Annotated[int, Field(description="Passing faults since it was last ready or absent.")]
    created_at: Time | None
    ready_at: Time | None
    release_began_at: Time | None
    gone_at: Time | None


class SagaCurrencyCost(TypedDict):
    """What a saga costs in one currency."""

    currency: str
    billed: Decimals
    effective: Decimals
    through: Annotated[Time, Field(description="The end of its newest charge.")]


class CostAge(TypedDict):
    """How fresh a saga's cost is."""

    window: Annotated[str, Field(description="The billing window whose summary it is from.")]
    late_sources: Annotated[list[str], Field(description="Sources that were late: it may have cost more.")]


class SagaCostState(TypedDict):
    """What a saga costs; nothing of it is there while nothing is known."""

    cost: NotRequired[Annotated[list[SagaCurrencyCost], Field(description="One entry for each currency.")]]
    cost_freshness: NotRequired[CostAge]


class SagaWithResources(SagaSummary):
    """A saga and its resources, in the order of the request; of more than 50 resources a page, by their ids."""

    resources: list[ResourceState]
    resource_counts: Annotated[
        dict[str, int], Field(description="How many resources have each status, of all there are.")
    ]
    next_cursor: Annotated[str | None, Field(description="The `cursor` of the next page; null on the last.")]
    events_cursor: Annotated[
        str, Field(description="The `after` of the events that are still to come: what came before them is shown.")
    ]


class Saga(SagaWithResources, SagaCostState):
    """A saga, its resources in the order of the request, and what it costs once that is known.

    Of more than 50 resources it is a page, by their ids.
    """


class SagaPage(TypedDict):
    """Some sagas, the newest first."""

    items: list[SagaSummary]
    next_cursor: Annotated[str | None, Field(description="The `cursor` of the next page; null on the last.")]


class SagaEvent(TypedDict):
    """One change: to the saga itself, or to the resource named."""

    seq: Annotated[
        int,
        Field(
            description="Counts a saga's events from 1, without gaps. Of more than 50 resources no two events "
            "have the same, and those of one resource count up."
        ),
    ]
    at: Time
    resource: str | None
    status: Annotated[str, Field(description="The status that the saga or resource has since then.")]
    message: str | None
    step: Annotated[str | None, Field(description="The step that met a passing fault, such as create; else null.")]
    error: Annotated[str | None, Field(description="The cloud's code for that fault; else null.")]


class EventPage(TypedDict):
    """A saga's events in order; of a saga of more than 50 resources, each resource's are."""

    items: list[SagaEvent]
    next_cursor: Annotated[str, Field(description="The `after` of the next call: nothing is lost in between.")]


class Shortage(TypedDict):
    """Why resources cannot be created as things stand: a quota that is too small, or a refusal."""

    provider: Provider
    resources: list[str]
    location: str
    code: str
    message: str
    needed: Annotated[float | None, Field(description="In the quota's unit; null for a refusal of another kind.")]
    available: float | None


class UncheckedCloud(TypedDict):
    """A cloud that could not be asked, and why."""

    provider: Provider
    reason: str


class ResourcePrice(TypedDict):
    """What one resource will cost in an hour."""

    provider: Provider
    resource: str
    hourly: Decimals
    currency: str
    basis: Annotated[str, Field(description="By which price, and so what is not in it.")]


class HourlyTotal(TypedDict):
    """What is known of an hour's price in one currency, added up."""

    currency: str
    amount: Decimals


class Plan(TypedDict):
    """What would become of a request now."""

    name: str
    order: Annotated[list[list[str]], Field(description="Ids of resources in waves: each wave is created at once.")]
    shortages: list[Shortage]
    unchecked: list[UncheckedCloud]
    prices: Annotated[list[ResourcePrice], Field(description="Of the resources whose price a list says.")]
    unpriced: Annotated[list[UncheckedCloud], Field(description="Clouds whose list could not be asked, and why.")]
    hourly: Annotated[list[HourlyTotal], Field(description="What is known, added up by currency.")]


class HostCount(TypedDict):
    """How many hosts a cluster has, and how many of them take machines."""

    usable: int
    all: int


class ClusterAmounts(TypedDict):
    """Processors, memory in MiB and disk in GiB."""

    cpu: float
    memory_mb: int
    disk_gb: int


class Cluster(TypedDict):
    """A private cluster: what it has, what is used of it, what may be claimed and what is."""

    name: str
    provider: Literal["vsphere", "scvmm"]
    target: str
    labels: dict[str, str]
    drained: Annotated[bool, Field(description="Whether it takes nothing new.")]
    reported_at: Time
    report_age_seconds: int
    hosts: HostCount
    capacity: Annotated[ClusterAmounts, Field(description="Of its usable hosts and datastores.")]
    used: Annotated[ClusterAmounts, Field(description="Of its usable hosts and datastores.")]
    claimable: Annotated[
        ClusterAmounts, Field(description="The most in all, after overcommitment, reserve and other people's machines.")
    ]
    claimed: ClusterAmounts


class ClusterList(TypedDict):
    """The clusters of the targets that the caller may use, by name."""

    items: list[Cluster]


class CostLine(TypedDict):
    """One group in one currency."""

    keys: Annotated[dict[str, str | None], Field(description="By `group_by`; null for what has no such thing.")]
    currency: str
    billed: Decimals | None
    effective: Decimals | None
    list: Decimals | None
    contracted: Decimals | None


class CollectionFailure(TypedDict):
    """Why a source could last not be read."""

    at: Time
    error: str
    message: Annotated[str | None, Field(description="Null unless the caller may see all costs.")]


class SourceFreshness(TypedDict):
    """How fresh one source of costs is: a late hour looks like a cheap one."""

    source: str
    kind: str
    provider: Provider
    account: Annotated[str | None, Field(description="Null unless the caller may see all costs.")]
    collected_at: Time | None
    data_through: Annotated[Time | None, Field(description="The end of the newest charge that was ever seen.")]
    closed_through: Annotated[Time, Field(description="Nothing before that changes any more.")]
    windows_behind: int
    windows_open: int
    late: bool
    failure: CollectionFailure | None


CostPage = TypedDict(  # `from` is a word of Python's own
    "CostPage",
    {
        "version": Annotated[int, Field(description="Of the form of this answer.")],
        "costs": Annotated[Literal["all", "own"], Field(description="Of everything, or of the caller's own sagas.")],
        "group_by": list[str],
        "from": Annotated[Day | None, Field(description="The first day; null where months were asked for.")],
        "to": Day | None,
        "items": list[CostLine],
        "next_cursor": str | None,
        "freshness": list[SourceFreshness],
    },
)
CostPage.__doc__ = "Lines of an answer about costs, what was asked, and how fresh the sources are."


@with_config(ConfigDict(extra="forbid"))
class SweepOrder(TypedDict):
    """What a sweep is to do."""

    dry_run: Annotated[bool, Field(description="Whether it only looks, and starts no release.")]


class SweepFinding(TypedDict):
    """Something in a target of a cloud that carries our mark."""

    cloud: Provider
    target: str
    saga_id: str
    resource_id: str
    cloud_id: str


class OverdueSaga(TypedDict):
    """A saga that should be somewhere else by now."""

    saga_id: str
    status: str
    reason: str


class SweepRelease(TypedDict):
    """A release that the sweep started."""

    saga_id: str
    reason: str
    name: Annotated[str, Field(description="Of its execution: two sweeps in the same hour start it once.")]


class UnsweptTarget(TypedDict):
    """A target that could not be looked at."""

    cloud: Provider
    target: str
    error: str


class SweepFindings(TypedDict):
    """What a sweep found, and what it started."""

    orphans: Annotated[list[SweepFinding], Field(description="What outlived its saga: it is released.")]
    unknown: Annotated[list[SweepFinding], Field(description="What no saga of this ledger knows: never touched.")]
    overdue: Annotated[list[OverdueSaga], Field(description="Sagas whose execution or time has run out.")]
    releases: Annotated[list[SweepRelease], Field(description="Nothing in a dry run.")]
    not_swept: list[UnsweptTarget]


class Sweep(TypedDict):
    """A sweep, and what it found once it has ended."""

    id: str
    status: Annotated[
        Literal["RUNNING", "COMPLETE", "INCOMPLETE", "FAILED"],
        Field(description="INCOMPLETE: some target could not be looked at. FAILED: nothing was decided."),
    ]
    dry_run: bool
    started_at: Time
    ended_at: Time | None
    result: Annotated[SweepFindings | None, Field(description="Null until it is COMPLETE or INCOMPLETE.")]
    error: Annotated[str | None, Field(description="Why it FAILED; else null.")]
