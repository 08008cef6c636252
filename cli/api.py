"""The HTTP API from Python: its documents as types, and a method for each of its operations.

Written by `python -m checks.api_client > cli/api.py` from docs/openapi.json; not to be changed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Generic, Literal, NamedTuple, NotRequired, Protocol, TypedDict, TypeVar
from urllib.parse import quote

VERSION: Final = "1.1"
"""Of the API that this was written for."""

D = TypeVar("D")


ApprovalPoint = Literal["provisioning", "commit"]
"""What needs somebody's consent; the names are part of a request."""

ResourceStatus = Literal["PLANNED", "CREATING", "READY", "FAILED", "DELETING", "ABSENT", "STUCK"]
"""Where a resource stands; the names are part of the API."""

SagaStatus = Literal[
    "PENDING",
    "PROVISIONING",
    "AWAITING_APPROVAL",
    "COMMITTED",
    "COMPENSATING",
    "ROLLED_BACK",
    "RELEASING",
    "RELEASED",
    "NEEDS_ATTENTION",
]
"""Where a saga stands; the names are part of the API."""


class Accepted(TypedDict):
    """A saga whose change has been recorded, and will be acted on."""

    id: str
    status: SagaStatus


class ApprovalState(TypedDict):
    """The consent that a saga waits for, or has been given."""

    before: ApprovalPoint
    approve_by: str | None
    """Until when; null before it is asked for."""
    approved_by: str | None
    approved_at: str | None


class Cluster(TypedDict):
    """A private cluster: what it has, what is used of it, what may be claimed and what is."""

    name: str
    provider: Literal["vsphere", "scvmm"]
    target: str
    labels: dict[str, str]
    drained: bool
    """Whether it takes nothing new."""
    reported_at: str
    report_age_seconds: int
    hosts: HostCount
    capacity: ClusterAmounts
    """Of its usable hosts and datastores."""
    used: ClusterAmounts
    """Of its usable hosts and datastores."""
    claimable: ClusterAmounts
    """The most in all, after overcommitment, reserve and other people's machines."""
    claimed: ClusterAmounts


class ClusterAmounts(TypedDict):
    """Processors, memory in MiB and disk in GiB."""

    cpu: float
    memory_mb: int
    disk_gb: int


class ClusterList(TypedDict):
    """The clusters of the targets that the caller may use, by name."""

    items: list[Cluster]


class CollectionFailure(TypedDict):
    """Why a source could last not be read."""

    at: str
    error: str
    message: str | None
    """Null unless the caller may see all costs."""


class CostAge(TypedDict):
    """How fresh a saga's cost is."""

    window: str
    """The billing window whose summary it is from."""
    late_sources: list[str]
    """Sources that were late: it may have cost more."""


class CostLine(TypedDict):
    """One group in one currency."""

    keys: dict[str, str | None]
    """By `group_by`; null for what has no such thing."""
    currency: str
    billed: str | None
    effective: str | None
    list: str | None
    contracted: str | None


class EventPage(TypedDict):
    """A saga's events in order; of a saga of more than 50 resources, each resource's are."""

    items: list[SagaEvent]
    next_cursor: str
    """The `after` of the next call: nothing is lost in between."""


class FieldProblem(TypedDict):
    """One thing that is wrong with a call."""

    field: str
    """As in `resources[2].spec.size`; a parameter's or header's name."""
    reason: str
    """What is wrong, and what to do."""


class Health(TypedDict):
    """That the API is up."""

    status: Literal["ok"]


class HostCount(TypedDict):
    """How many hosts a cluster has, and how many of them take machines."""

    usable: int
    all: int


class HourlyTotal(TypedDict):
    """What is known of an hour's price in one currency, added up."""

    currency: str
    amount: str
    """An exact decimal in text: JSON's numbers may be rounded."""


class OverdueSaga(TypedDict):
    """A saga that should be somewhere else by now."""

    saga_id: str
    status: str
    reason: str


class Plan(TypedDict):
    """What would become of a request now."""

    name: str
    order: list[list[str]]
    """Ids of resources in waves: each wave is created at once."""
    shortages: list[Shortage]
    unchecked: list[UncheckedCloud]
    prices: list[ResourcePrice]
    """Of the resources whose price a list says."""
    unpriced: list[UncheckedCloud]
    """Clouds whose list could not be asked, and why."""
    hourly: list[HourlyTotal]
    """What is known, added up by currency."""


class Problem(TypedDict):
    """A problem document (RFC 9457); docs/api.md lists the types."""

    type: str
    """A reference that stays the same, as in `/problems/no-such-saga`."""
    title: str
    """The same for every problem of the type."""
    status: int
    detail: NotRequired[str]
    """What is the matter this time."""
    errors: list[FieldProblem]
    """Every field that is wrong, all at once."""


class ResourcePrice(TypedDict):
    """What one resource will cost in an hour."""

    provider: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    resource: str
    hourly: str
    """An exact decimal in text: JSON's numbers may be rounded."""
    currency: str
    basis: str
    """By which price, and so what is not in it."""


class ResourceState(TypedDict):
    """One resource of a saga, and how far it is."""

    id: str
    provider: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    kind: Literal["instance", "disk"]
    target: str
    location: str | None
    """Its region or zone; null on a private cloud."""
    depends_on: list[str]
    """What must be ready first, whether named or implied."""
    status: ResourceStatus
    cluster: str | None
    """Where it was placed on a private cloud."""
    cloud_id: str | None
    """Its id in its cloud, once it has one."""
    begun: list[str]
    """The parts of it that its cloud has accepted, in order."""
    error: str | None
    """Why it failed or is stuck; begins with the cloud's own code."""
    faults: int
    """Passing faults since it was last ready or absent."""
    created_at: str | None
    ready_at: str | None
    release_began_at: str | None
    gone_at: str | None


class Saga(TypedDict):
    """A saga, its resources in the order of the request, and what it costs once that is known.

    Of more than 50 resources it is a page, by their ids.
    """

    id: str
    name: str
    status: SagaStatus
    caller: str
    """Who submitted it: an ARN, or a token's issuer and subject."""
    version: int
    """Counts every change; of more than 50 resources, only those of the saga itself."""
    labels: dict[str, str]
    created_at: str
    finished_at: str | None
    """When it last came to an end; null while it is at work."""
    expires_at: str | None
    """When its time to live runs out, if it has one."""
    cancel_requested: bool
    approval: ApprovalState | None
    """Null where its request asks for no approval."""
    waves: list[list[str]]
    """Ids of resources, in the order in which they are created. Empty for a saga of more than 50 resources: these
    say themselves what they depend on."""
    resources: list[ResourceState]
    resource_counts: dict[str, int]
    """How many resources have each status, of all there are."""
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""
    events_cursor: str
    """The `after` of the events that are still to come: what came before them is shown."""
    cost: NotRequired[list[SagaCurrencyCost]]
    """One entry for each currency."""
    cost_freshness: NotRequired[CostAge]


class SagaCurrencyCost(TypedDict):
    """What a saga costs in one currency."""

    currency: str
    billed: str
    """An exact decimal in text: JSON's numbers may be rounded."""
    effective: str
    """An exact decimal in text: JSON's numbers may be rounded."""
    through: str
    """The end of its newest charge."""


class SagaEvent(TypedDict):
    """One change: to the saga itself, or to the resource named."""

    seq: int
    """Counts a saga's events from 1, without gaps. Of more than 50 resources no two events have the same, and
    those of one resource count up."""
    at: str
    resource: str | None
    status: str
    """The status that the saga or resource has since then."""
    message: str | None
    step: str | None
    """The step that met a passing fault, such as create; else null."""
    error: str | None
    """The cloud's code for that fault; else null."""


class SagaPage(TypedDict):
    """Some sagas, the newest first."""

    items: list[SagaSummary]
    next_cursor: str | None
    """The `cursor` of the next page; null on the last."""


class SagaSummary(TypedDict):
    """A saga without its resources."""

    id: str
    name: str
    status: SagaStatus
    caller: str
    """Who submitted it: an ARN, or a token's issuer and subject."""
    version: int
    """Counts every change; of more than 50 resources, only those of the saga itself."""
    labels: dict[str, str]
    created_at: str
    finished_at: str | None
    """When it last came to an end; null while it is at work."""
    expires_at: str | None
    """When its time to live runs out, if it has one."""
    cancel_requested: bool
    approval: ApprovalState | None
    """Null where its request asks for no approval."""
    waves: list[list[str]]
    """Ids of resources, in the order in which they are created. Empty for a saga of more than 50 resources: these
    say themselves what they depend on."""


class Shortage(TypedDict):
    """Why resources cannot be created as things stand: a quota that is too small, or a refusal."""

    provider: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    resources: list[str]
    location: str
    code: str
    message: str
    needed: float | None
    """In the quota's unit; null for a refusal of another kind."""
    available: float | None


class SourceFreshness(TypedDict):
    """How fresh one source of costs is: a late hour looks like a cheap one."""

    source: str
    kind: str
    provider: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    account: str | None
    """Null unless the caller may see all costs."""
    collected_at: str | None
    data_through: str | None
    """The end of the newest charge that was ever seen."""
    closed_through: str
    """Nothing before that changes any more."""
    windows_behind: int
    windows_open: int
    late: bool
    failure: CollectionFailure | None


class Sweep(TypedDict):
    """A sweep, and what it found once it has ended."""

    id: str
    status: Literal["RUNNING", "COMPLETE", "INCOMPLETE", "FAILED"]
    """INCOMPLETE: some target could not be looked at. FAILED: nothing was decided."""
    dry_run: bool
    started_at: str
    ended_at: str | None
    result: SweepFindings | None
    """Null until it is COMPLETE or INCOMPLETE."""
    error: str | None
    """Why it FAILED; else null."""


class SweepFinding(TypedDict):
    """Something in a target of a cloud that carries our mark."""

    cloud: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    target: str
    saga_id: str
    resource_id: str
    cloud_id: str


class SweepFindings(TypedDict):
    """What a sweep found, and what it started."""

    orphans: list[SweepFinding]
    """What outlived its saga: it is released."""
    unknown: list[SweepFinding]
    """What no saga of this ledger knows: never touched."""
    overdue: list[OverdueSaga]
    """Sagas whose execution or time has run out."""
    releases: list[SweepRelease]
    """Nothing in a dry run."""
    not_swept: list[UnsweptTarget]


class SweepOrder(TypedDict):
    """What a sweep is to do."""

    dry_run: bool
    """Whether it only looks, and starts no release."""


class SweepRelease(TypedDict):
    """A release that the sweep started."""

    saga_id: str
    reason: str
    name: str
    """Of its execution: two sweeps in the same hour start it once."""


class UncheckedCloud(TypedDict):
    """A cloud that could not be asked, and why."""

    provider: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    reason: str


class UnsweptTarget(TypedDict):
    """A target that could not be looked at."""

    cloud: str
    """aws, azure, gcp, vsphere, scvmm, or a cloud that was added since."""
    target: str
    error: str


CostPage = TypedDict(
    "CostPage",
    {
        "version": "int",
        "costs": "Literal['all', 'own']",
        "group_by": "list[str]",
        "from": "str | None",
        "to": "str | None",
        "items": "list[CostLine]",
        "next_cursor": "str | None",
        "freshness": "list[SourceFreshness]",
    },
)
"""Lines of an answer about costs, what was asked, and how fresh the sources are."""


class Answer(NamedTuple, Generic[D]):
    """What a call was answered with; headers are by their name in lower case."""

    status: int
    headers: Mapping[str, str]
    document: D


class Transport(Protocol):
    """Carries calls to the API, and signs them."""

    def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> Answer[Any]:
        """Make one call, whatever comes of it; the document is None where there is none.

        `path` is quoted and begins with a slash, `query` is not quoted; raises what it likes when nobody answers.
        """
        ...


class NotModified(Exception):
    """What the caller has, by its tag, is still the same."""


class Refused(Exception):
    """The API, or API Gateway before it, said no; `problem` says why, `headers` perhaps when to come again."""

    def __init__(self, status: int, headers: Mapping[str, str], problem: Problem) -> None:
        super().__init__(f"{status} {problem['title']}")
        self.status = status
        self.headers = headers
        self.problem = problem


class Api:
    """Every operation of the API; each raises Refused, and what its transport raises."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_health(self) -> Answer[Health]:
        """Whether the API is up."""
        return self._call("GET", "/healthz")

    def get_description(self, *, if_none_match: str | None = None) -> Answer[dict[str, Any]]:
        """The OpenAPI document of the API; raises NotModified.

        - if_none_match: The ETag of what the caller has: 304 if it is still the same.
        """
        return self._call("GET", "/openapi.json", headers={"If-None-Match": if_none_match})

    def plan(self, document: bytes, media_type: Literal["application/json", "application/yaml"]) -> Answer[Plan]:
        """What would become of a request now; creates nothing."""
        return self._call("POST", "/plans", headers={"Content-Type": media_type}, body=document)

    def submit_saga(
        self, document: bytes, media_type: Literal["application/json", "application/yaml"], *, idempotency_key: str
    ) -> Answer[Accepted]:
        """Have everything created that a request names, or nothing.

        - idempotency_key: Of the caller's own making, one for each saga: the same key and document again give the
          same saga.
        """
        return self._call(
            "POST", "/sagas", headers={"Content-Type": media_type, "Idempotency-Key": idempotency_key}, body=document
        )

    def list_sagas(
        self,
        *,
        status: SagaStatus | None = None,
        label: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer[SagaPage]:
        """The caller's sagas, or everybody's where that is granted; the newest first; raises NotModified.

        - status: Only those of this status.
        - label: Only what carries the label, as KEY=VALUE.
        - limit: How many, at most.
        - cursor: The `next_cursor` of the page before.
        - if_none_match: The ETag of what the caller has: 304 if it is still the same.
        """
        return self._call(
            "GET",
            "/sagas",
            query={"status": status, "label": label, "limit": limit, "cursor": cursor},
            headers={"If-None-Match": if_none_match},
        )

    def get_saga(
        self, id: str, *, limit: int | None = None, cursor: str | None = None, if_none_match: str | None = None
    ) -> Answer[Saga]:
        """A saga, its resources (a page of them, where there are more than 50), and what it costs; raises NotModified.

        - id: The id that it was given when it was accepted.
        - limit: How many resources, at most; 50 or fewer are shown whatever it says.
        - cursor: The `next_cursor` of the page before.
        - if_none_match: The ETag of what the caller has: 304 if it is still the same.
        """
        return self._call(
            "GET",
            f"/sagas/{quote(id, safe='')}",
            query={"limit": limit, "cursor": cursor},
            headers={"If-None-Match": if_none_match},
        )

    def destroy_saga(self, id: str, *, if_match: str | None = None) -> Answer[Accepted]:
        """Remove every resource of a saga, committed or not.

        - id: The id that it was given when it was accepted.
        - if_match: The saga's ETag as the caller has seen it: 412, and nothing done, if it has moved on.
        """
        return self._call("DELETE", f"/sagas/{quote(id, safe='')}", headers={"If-Match": if_match})

    def list_events(self, id: str, *, after: str | None = None, wait: float | None = None) -> Answer[EventPage]:
        """What happened to a saga, in order; waits for something new where that is asked for.

        - id: The id that it was given when it was accepted.
        - after: The `next_cursor` of the page before, or a saga's `events_cursor`; from the beginning, if not said.
        - wait: How many seconds to wait when there is nothing new.
        """
        return self._call("GET", f"/sagas/{quote(id, safe='')}/events", query={"after": after, "wait": wait})

    def approve_saga(self, id: str, *, if_match: str | None = None) -> Answer[Accepted]:
        """Let a saga go on that waits for approval.

        - id: The id that it was given when it was accepted.
        - if_match: The saga's ETag as the caller has seen it: 412, and nothing done, if it has moved on.
        """
        return self._call("POST", f"/sagas/{quote(id, safe='')}/approve", headers={"If-Match": if_match})

    def cancel_saga(self, id: str, *, if_match: str | None = None) -> Answer[Accepted]:
        """Have a saga undone that has not committed.

        - id: The id that it was given when it was accepted.
        - if_match: The saga's ETag as the caller has seen it: 412, and nothing done, if it has moved on.
        """
        return self._call("POST", f"/sagas/{quote(id, safe='')}/cancel", headers={"If-Match": if_match})

    def resume_saga(self, id: str, *, if_match: str | None = None) -> Answer[Accepted]:
        """Try again to remove what is left of a saga that needs attention.

        - id: The id that it was given when it was accepted.
        - if_match: The saga's ETag as the caller has seen it: 412, and nothing done, if it has moved on.
        """
        return self._call("POST", f"/sagas/{quote(id, safe='')}/resume", headers={"If-Match": if_match})

    def list_clusters(self) -> Answer[ClusterList]:
        """The private clusters whose targets the caller may use."""
        return self._call("GET", "/clusters")

    def drain_cluster(self, name: str) -> Answer[Cluster]:
        """Let a cluster take nothing new.

        - name: The name that the deployment declares it under.
        """
        return self._call("PUT", f"/clusters/{quote(name, safe='')}/drain")

    def undrain_cluster(self, name: str) -> Answer[Cluster]:
        """Let a cluster take machines again.

        - name: The name that the deployment declares it under.
        """
        return self._call("DELETE", f"/clusters/{quote(name, safe='')}/drain")

    def ask_costs(
        self,
        *,
        group_by: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        saga: str | None = None,
        provider: str | None = None,
        service: str | None = None,
        account: str | None = None,
        region: str | None = None,
        source: str | None = None,
        month: str | None = None,
        label: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Answer[CostPage]:
        """What something costs, and how fresh that is.

        - group_by: By what, at most 4, with commas; in all, if by nothing.
        - from_: The first day, in UTC; the first of the month of the last, if not said.
        - to: The last day; today, if not said. At most 400 days in all.
        - saga: Only these sagas, with commas.
        - provider: Only these, by our names or the bill's, with commas.
        - service: Only this one, as the bill calls it.
        - account: Only these accounts, subscriptions or projects, with commas.
        - region: Only these regions, with commas.
        - source: Only what these sources say, with commas.
        - month: Only what is billed in these months, with commas.
        - label: Only what carries the label, as KEY=VALUE.
        - limit: How many, at most.
        - cursor: The `next_cursor` of the page before.
        """
        return self._call(
            "GET",
            "/costs",
            query={
                "group_by": group_by,
                "from": from_,
                "to": to,
                "saga": saga,
                "provider": provider,
                "service": service,
                "account": account,
                "region": region,
                "source": source,
                "month": month,
                "label": label,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def start_sweep(self, document: SweepOrder) -> Answer[Sweep]:
        """Compare what is in the clouds with the ledger, and release what should not be there."""
        return self._call(
            "POST", "/sweeps", headers={"Content-Type": "application/json"}, body=json.dumps(document).encode()
        )

    def get_sweep(self, id: str) -> Answer[Sweep]:
        """A sweep, whoever started it, and what it found once it has ended.

        - id: The name of its execution.
        """
        return self._call("GET", f"/sweeps/{quote(id, safe='')}")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | float | None] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
    ) -> Answer[Any]:
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        answer = self._transport.send(method, path, asked, sent, body)
        if answer.status == 304:
            raise NotModified
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, answer.headers, _problem(answer))
        return answer


def _problem(answer: Answer[Any]) -> Problem:
    """The problem document, or one for what API Gateway says by itself."""
    document = answer.document if isinstance(answer.document, dict) else {}
    problem: Problem = {
        "type": document.get("type", "about:blank"),
        "title": document.get("title") or document.get("message") or "The call was refused",
        "status": answer.status,
        "errors": document.get("errors", []),
    }
    if "detail" in document:
        problem["detail"] = document["detail"]
    return problem
