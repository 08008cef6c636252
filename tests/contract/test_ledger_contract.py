"""What every ledger does: the same specification over the fake and over DynamoDB."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.ledger_items import CALLER_INDEX, HOME_INDEX, STATUS_INDEX
from lambdas.core.errors import IdempotencyConflict, IllegalTransition, RetryableError, SagaNotFound
from lambdas.core.model import Resource, Saga
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.ports.ledger import History, IdempotencyKey, Ledger, ResourceChange, SagaChange, Snapshot, Standing
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.fakes.clock import FakeClock
from tests.fakes.divided import everything_divided
from tests.fakes.documents import aws_disk, aws_instance, azure_instance, request_document, vsphere_instance
from tests.fakes.ledger import FakeLedger
from tests.whole import whole

TABLE: Final = "ledger"
WRITERS: Final = 20


class OneAtATime:
    """A client whose calls exclude each other: DynamoDB's transactions are isolated, moto's are not."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                return method(**arguments)

        return call


def create_table(client: Any) -> None:
    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=keys("pk", "sk"),
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("pk", "sk", "status", "caller", "id", "home", "until")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": STATUS_INDEX,
                "KeySchema": keys("status", "id"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": CALLER_INDEX,
                "KeySchema": keys("caller", "id"),
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": HOME_INDEX,
                "KeySchema": keys("home", "until"),
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    if request.param == "fake":
        yield FakeLedger(clock)
        return
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client)
        yield DynamoLedger(cast(Any, OneAtATime(client)), TABLE, clock)


def planned(clock: FakeClock, *resources: dict[str, Any], caller: str = "somebody") -> Snapshot:
    document = request_document(*(resources or (aws_disk("b"), azure_instance("a"))))
    return plan_saga(parse_request(document), new_saga_id(clock.now()), caller, clock.now())


def opened(ledger: Ledger, clock: FakeClock, *resources: dict[str, Any], caller: str = "somebody") -> str:
    saga, planned_resources = planned(clock, *resources, caller=caller)
    return ledger.open(saga, planned_resources, IdempotencyKey(caller, saga.id, "digest")).id


def to_saga(status: SagaStatus) -> SagaChange:
    return lambda now: now.saga.model_copy(update={"status": status})


def to_resource(status: ResourceStatus) -> ResourceChange:
    return lambda _, now: now.model_copy(update={"status": status})


def with_operation(part: str) -> ResourceChange:
    return lambda _, now: now.model_copy(update={"operations": {**now.operations, part: part}})


def renamed(name: str) -> SagaChange:
    return lambda now: now.saga.model_copy(update={"name": name})


def test_what_was_opened_can_be_read_back_in_the_order_of_the_request(ledger: Ledger, clock: FakeClock) -> None:
    saga, resources = planned(clock)
    written = ledger.open(saga, resources, IdempotencyKey("somebody", "key", "digest"))
    assert written == saga.model_copy(update={"version": 1})
    assert ledger.saga(saga.id) == written
    assert whole(ledger, saga.id) == Snapshot(written, resources)
    assert ledger.resource(saga.id, "a") == resources[1]
    assert [(event.seq, event.status, event.resource_id) for event in ledger.events(saga.id)] == [(1, "PENDING", None)]


def test_the_same_key_and_digest_give_the_saga_they_opened_as_it_stands_now(ledger: Ledger, clock: FakeClock) -> None:
    key = IdempotencyKey("somebody", "key", "digest")
    first = ledger.open(*planned(clock), key)
    ledger.change_saga(first.id, to_saga(SagaStatus.PROVISIONING))
    again = ledger.open(*planned(clock), key)
    assert (again.id, again.status) == (first.id, SagaStatus.PROVISIONING)
    assert [saga.id for saga in ledger.sagas(None, 10, None)] == [first.id]


def test_the_same_key_with_another_digest_is_a_conflict_and_writes_nothing(ledger: Ledger, clock: FakeClock) -> None:
    first = ledger.open(*planned(clock), IdempotencyKey("somebody", "key", "digest"))
    other = planned(clock)
    with pytest.raises(IdempotencyConflict):
        ledger.open(*other, IdempotencyKey("somebody", "key", "another"))
    assert [saga.id for saga in ledger.sagas(None, 10, None)] == [first.id]
    with pytest.raises(SagaNotFound):
        ledger.saga(other.saga.id)


@pytest.mark.parametrize(("caller", "key"), [("another", "key"), ("somebody", "other"), ("somebod", "ykey")])
def test_another_callers_key_and_another_key_open_another_saga(
    ledger: Ledger, clock: FakeClock, caller: str, key: str
) -> None:
    first = ledger.open(*planned(clock), IdempotencyKey("somebody", "key", "digest"))
    second = ledger.open(*planned(clock), IdempotencyKey(caller, key, "another"))
    assert first.id != second.id


def test_one_key_used_by_many_at_once_opens_one_saga(ledger: Ledger, clock: FakeClock) -> None:
    key = IdempotencyKey("somebody", "key", "digest")
    with ThreadPoolExecutor(WRITERS) as pool:
        ids = set(pool.map(lambda _: ledger.open(*planned(clock), key).id, range(WRITERS)))
    assert len(ids) == 1
    assert {saga.id for saga in ledger.sagas(None, 100, None)} == ids


def readers(ledger: Ledger) -> list[Callable[[str], object]]:
    return [ledger.saga, partial(whole, ledger), ledger.events]


def test_what_is_not_there_is_not_found(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    for ask in readers(ledger):
        with pytest.raises(SagaNotFound, match="s-unknown"):
            ask("s-unknown")
    with pytest.raises(SagaNotFound, match="nothing"):
        ledger.resource(saga_id, "nothing")
    with pytest.raises(SagaNotFound):
        ledger.change_saga("s-unknown", to_saga(SagaStatus.PROVISIONING))
    with pytest.raises(SagaNotFound):
        ledger.change_resource(saga_id, "nothing", to_resource(ResourceStatus.CREATING))


def test_an_id_longer_than_any_key_is_not_found(ledger: Ledger) -> None:
    for ask in readers(ledger):
        with pytest.raises(SagaNotFound):
            ask("é" * 1025)


def test_a_change_of_the_saga_is_written_with_its_event(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    clock.advance(5)
    now = ledger.change_saga(saga_id, to_saga(SagaStatus.PROVISIONING), "begun")
    assert (now.saga.status, now.saga.version) == (SagaStatus.PROVISIONING, 2)
    assert ledger.standing(saga_id) == now
    event = ledger.events(saga_id)[-1]
    assert (event.seq, event.at, event.status, event.message) == (2, clock.now(), "PROVISIONING", "begun")


def test_a_change_of_a_resource_is_written_with_its_event_and_the_sagas_version(
    ledger: Ledger, clock: FakeClock
) -> None:
    saga_id = opened(ledger, clock)
    saga, resource = ledger.change_resource(saga_id, "a", to_resource(ResourceStatus.CREATING), "asked")
    assert (saga.version, resource.status) == (2, ResourceStatus.CREATING)
    assert (ledger.saga(saga_id), ledger.resource(saga_id, "a")) == (saga, resource)
    assert [it.status for it in whole(ledger, saga_id).resources] == ["PLANNED", "CREATING"]
    event = ledger.events(saga_id)[-1]
    assert (event.seq, event.resource_id, event.status, event.message) == (2, "a", "CREATING", "asked")


def test_a_change_that_changes_nothing_writes_nothing(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    before = whole(ledger, saga_id)
    assert ledger.change_saga(saga_id, lambda now: now.saga, "again") == ledger.standing(saga_id)
    assert ledger.change_resource(saga_id, "a", lambda _, now: now, "again") == (before.saga, before.resources[1])
    assert whole(ledger, saga_id) == before
    assert len(ledger.events(saga_id)) == 1


def test_an_illegal_change_is_raised_and_writes_nothing(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    before = whole(ledger, saga_id)
    with pytest.raises(IllegalTransition):
        ledger.change_saga(saga_id, to_saga(SagaStatus.COMMITTED))
    with pytest.raises(IllegalTransition):
        ledger.change_resource(saga_id, "a", to_resource(ResourceStatus.READY))
    assert whole(ledger, saga_id) == before


def test_what_a_change_raises_is_raised_and_nothing_is_written(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)

    def refuse(_: Saga, __: Resource) -> Resource:
        raise KeyError("fenced")

    with pytest.raises(KeyError, match="fenced"):
        ledger.change_resource(saga_id, "a", refuse)
    assert ledger.saga(saga_id).version == 1


def test_a_change_that_was_overtaken_is_made_again_on_what_stands_now(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    seen: list[SagaStatus] = []

    def change(saga: Saga, resource: Resource) -> Resource:
        seen.append(saga.status)
        if len(seen) == 1:
            ledger.change_saga(saga_id, to_saga(SagaStatus.PROVISIONING))
        return resource.model_copy(update={"status": ResourceStatus.CREATING})

    saga, _ = ledger.change_resource(saga_id, "a", change)
    assert seen == [SagaStatus.PENDING, SagaStatus.PROVISIONING]
    assert (saga.version, saga.status) == (3, SagaStatus.PROVISIONING)


def test_the_fence_and_an_intent_at_the_same_moment_come_in_one_order(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    raced: list[None] = []

    def intend(saga: Saga, resource: Resource) -> Resource:
        if saga.status is SagaStatus.COMPENSATING:
            return resource
        if not raced:
            raced.append(None)
            ledger.change_saga(saga_id, to_saga(SagaStatus.COMPENSATING))
        return resource.model_copy(update={"status": ResourceStatus.CREATING})

    ledger.change_resource(saga_id, "a", intend)
    assert ledger.resource(saga_id, "a").status is ResourceStatus.PLANNED
    assert [event.status for event in ledger.events(saga_id)] == ["PENDING", "COMPENSATING"]


def test_no_update_of_twenty_writers_at_once_is_lost(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    ledger.change_resource(saga_id, "a", to_resource(ResourceStatus.CREATING))

    def write(number: int) -> None:
        for attempt in range(20):
            try:
                ledger.change_resource(saga_id, "ab"[number % 2], with_operation(f"part-{number}"), str(number))
            except Exception as error:
                if attempt == 19 or "LedgerContention" not in str(error):
                    raise
            else:
                return

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    parts = {part for it in whole(ledger, saga_id).resources for part in it.operations}
    assert parts == {f"part-{number}" for number in range(WRITERS)}
    events = ledger.events(saga_id)
    assert [event.seq for event in events] == list(range(1, WRITERS + 3))
    assert {event.message for event in events[2:]} == {str(number) for number in range(WRITERS)}
    assert ledger.saga(saga_id).version == WRITERS + 2


def test_events_are_read_in_order_from_any_point_in_pages(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    for number in range(11):
        ledger.change_resource(saga_id, "a", with_operation(f"part-{number}"))
    read: list[int] = []
    while page := ledger.events(saga_id, after=read[-1] if read else 0, limit=5):
        assert len(page) <= 5
        read += [event.seq for event in page]
    assert read == list(range(1, 13))
    assert [event.seq for event in ledger.events(saga_id, after=10)] == [11, 12]
    assert ledger.events(saga_id, after=12) == []


def test_the_largest_saga_fits(ledger: Ledger, clock: FakeClock) -> None:
    names = [f"d{number}" for number in range(50)]
    saga_id = opened(ledger, clock, *[aws_disk(name) for name in names])
    assert [it.id for it in whole(ledger, saga_id).resources] == names


def test_sagas_are_listed_newest_first_by_status_and_page(ledger: Ledger, clock: FakeClock) -> None:
    ids = []
    for _ in range(6):
        clock.advance(1)
        ids.append(opened(ledger, clock))
    for saga_id in ids[::2]:
        ledger.change_saga(saga_id, to_saga(SagaStatus.PROVISIONING))
    assert [saga.id for saga in ledger.sagas(None, 10, None)] == ids[::-1]
    assert [saga.id for saga in ledger.sagas(None, 2, ids[3])] == [ids[2], ids[1]]
    assert [saga.id for saga in ledger.sagas(SagaStatus.PROVISIONING, 10, None)] == ids[4::-2]
    assert [saga.id for saga in ledger.sagas(SagaStatus.PENDING, 1, ids[5])] == [ids[3]]
    assert ledger.sagas(SagaStatus.COMMITTED, 10, None) == []


def test_a_callers_sagas_are_listed_by_themselves_newest_first_page_by_page(ledger: Ledger, clock: FakeClock) -> None:
    mine: list[str] = []
    for number in range(6):
        clock.advance(1)
        saga_id = opened(ledger, clock, caller="me" if number % 2 else "somebody")
        mine += [saga_id] if number % 2 else []
    ledger.change_saga(mine[0], to_saga(SagaStatus.PROVISIONING))

    def listed(status: SagaStatus | None, limit: int, before: str | None) -> list[str]:
        return [saga.id for saga in ledger.sagas(status, limit, before, "me")]

    assert listed(None, 10, None) == mine[::-1]
    assert listed(None, 1, mine[2]) == [mine[1]]
    assert listed(SagaStatus.PROVISIONING, 1, None) == [mine[0]]
    assert ledger.sagas(None, 10, None, "nobody") == []


def test_a_listed_saga_is_as_last_written(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    ledger.change_resource(saga_id, "a", to_resource(ResourceStatus.CREATING))
    assert ledger.sagas(None, 10, None) == [ledger.saga(saga_id)]


def lives(ready_at: datetime, gone_at: datetime | None = None) -> ResourceChange:
    return lambda _, now: now.model_copy(update={"ready_at": ready_at, "gone_at": gone_at})


def test_machines_are_listed_that_were_ready_and_not_gone_before_a_moment(ledger: Ledger, clock: FakeClock) -> None:
    noon, books = clock.now(), cast(History, ledger)
    saga_id = opened(ledger, clock, *(vsphere_instance(name) for name in ("lives", "left", "ended", "unready")))
    ledger.change_resource(saga_id, "lives", lives(noon))
    ledger.change_resource(saga_id, "left", lives(noon, noon + timedelta(seconds=3)))
    ledger.change_resource(saga_id, "ended", lives(noon, noon + timedelta(seconds=2)))
    ledger.change_resource(saga_id, "unready", with_operation("clone"))

    found = books.lived("vsphere", "default", noon + timedelta(seconds=2))

    assert sorted(it.id for it in found) == ["left", "lives"]
    assert all(it == ledger.resource(saga_id, it.id) for it in found)
    assert len(books.lived("vsphere", "default", noon)) == 3
    assert books.lived("vsphere", "payments", noon) == books.lived("scvmm", "default", noon) == []


def test_nothing_of_a_public_cloud_is_listed_among_the_machines(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock)
    ledger.change_resource(saga_id, "a", lives(clock.now()))
    assert cast(History, ledger).lived("azure", "default", clock.now() - timedelta(days=1)) == []


def test_a_machine_that_is_gone_is_listed_until_then_and_no_more(ledger: Ledger, clock: FakeClock) -> None:
    saga_id = opened(ledger, clock, vsphere_instance("web"))
    noon, books = clock.now(), cast(History, ledger)
    ledger.change_resource(saga_id, "web", lives(noon))
    assert len(books.lived("vsphere", "default", noon + timedelta(days=1))) == 1
    ledger.change_resource(saga_id, "web", lives(noon, noon + timedelta(hours=1)))
    assert len(books.lived("vsphere", "default", noon)) == 1
    assert books.lived("vsphere", "default", noon + timedelta(days=1)) == []


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.sampled_from(["a", "b", "saga"]), max_size=8))
def test_whatever_is_written_versions_and_events_stay_without_gap(
    ledger: Ledger, clock: FakeClock, changes: list[str]
) -> None:
    clock.advance(timedelta(hours=1).total_seconds())
    saga_id = opened(ledger, clock)
    for number, what in enumerate(changes):
        if what == "saga":
            ledger.change_saga(saga_id, renamed(f"n{number}"))
        else:
            ledger.change_resource(saga_id, what, with_operation(f"part-{number}"))
    events = ledger.events(saga_id)
    assert [event.seq for event in events] == list(range(1, len(changes) + 2))
    assert [event.resource_id or "saga" for event in events[1:]] == changes
    assert ledger.saga(saga_id).version == len(changes) + 1


@pytest.fixture
def divided(ledger: Ledger, clock: FakeClock) -> Iterator[str]:
    """A saga of three disks and an instance with one of them, each with a shard and a batch of its own."""
    with everything_divided():
        yield opened(ledger, clock, aws_instance("web", disks=("b",)), aws_disk("b"), aws_disk("a"), aws_disk("c"))


def test_a_large_saga_is_opened_with_its_shards_and_batches(ledger: Ledger, clock: FakeClock) -> None:
    names = [f"d{number:04d}" for number in range(130)]
    saga_id = opened(ledger, clock, *[aws_disk(name) for name in names], aws_instance("web", disks=("d0000",)))
    saga = ledger.saga(saga_id)
    assert (saga.version, saga.wave_sizes, saga.waves) == (1, (130, 1), ())
    assert ledger.standing(saga_id).waves == ({"PLANNED": 130}, {"PLANNED": 1})
    assert len(ledger.shards(saga_id)) == 8
    listed = [it.id for number in range(7) for it in ledger.batch(saga_id, 0, number).resources]
    assert listed == names
    assert [it.id for it in ledger.batch(saga_id, 1, 0).resources] == ["web"]
    assert [it.id for it in ledger.page(saga_id, "d0127", 2).resources] == ["d0128", "d0129"]
    assert len(whole(ledger, saga_id).resources) == 131


def test_the_same_key_opens_one_large_saga(ledger: Ledger, clock: FakeClock) -> None:
    with everything_divided():
        saga, resources = planned(clock)
        other, other_resources = planned(clock)
        key = IdempotencyKey("somebody", "key", "digest")
        assert ledger.open(saga, resources, key) == ledger.open(other, other_resources, key)
    with pytest.raises(SagaNotFound):
        ledger.standing(other.id)


def test_a_shard_numbers_the_writes_to_its_resources_and_counts_them(
    ledger: Ledger, clock: FakeClock, divided: str
) -> None:
    clock.advance(5)
    saga, _ = ledger.change_resource(divided, "a", to_resource(ResourceStatus.CREATING), "asked")
    assert (saga.id, saga.version, ledger.saga(divided).version) == (divided, 1, 1)
    assert ledger.standing(divided).waves == ({"PLANNED": 2, "CREATING": 1}, {"PLANNED": 1})
    (shard,) = [it for it in ledger.shards(divided) if it.version]
    assert (shard.counts, shard.written_at, shard.ready_at) == ({"CREATING": 1}, clock.now(), None)
    (event,) = ledger.events(divided, shard=shard.number)
    assert (event.seq, event.shard, event.resource_id, event.message) == (1, shard.number, "a", "asked")
    assert [it.seq for it in ledger.events(divided)] == [1]
    ledger.change_resource(divided, "a", to_resource(ResourceStatus.READY))
    assert [it.seq for it in ledger.events(divided, after=1, shard=shard.number)] == [2]
    assert ledger.standing(divided).ready_at == clock.now()


def test_a_change_of_the_header_reaches_every_shard(ledger: Ledger, divided: str) -> None:
    ledger.change_saga(divided, to_saga(SagaStatus.PROVISIONING))
    assert {(it.saga.status, it.header) for it in ledger.shards(divided)} == {("PROVISIONING", 2)}
    seen: list[SagaStatus] = []
    ledger.change_resource(divided, "a", lambda saga, it: seen.append(saga.status) or it)  # type: ignore[func-returns-value]  # looks only
    assert seen == [SagaStatus.PROVISIONING]


def test_whoever_comes_next_tells_the_shards_what_somebody_could_not_tell_them(
    ledger: Ledger, divided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise RetryableError("Killed", "on its way to the shards")

    monkeypatch.setattr(type(ledger), "_tell", dies)
    with pytest.raises(RetryableError):
        ledger.change_saga(divided, to_saga(SagaStatus.PROVISIONING))
    monkeypatch.undo()
    assert {it.header for it in ledger.shards(divided)} == {1}
    ledger.change_saga(divided, lambda now: now.saga, "nothing new")
    assert {(it.saga.status, it.header) for it in ledger.shards(divided)} == {("PROVISIONING", 2)}


def test_an_intent_that_has_not_seen_the_fence_is_made_again_when_its_shard_knows(ledger: Ledger, divided: str) -> None:
    seen: list[SagaStatus] = []

    def intend(saga: Saga, resource: Resource) -> Resource:
        seen.append(saga.status)
        if len(seen) == 1:
            ledger.change_saga(divided, to_saga(SagaStatus.COMPENSATING))
        if saga.status is SagaStatus.COMPENSATING:
            return resource
        return resource.model_copy(update={"status": ResourceStatus.CREATING})

    ledger.change_resource(divided, "a", intend)
    assert seen == [SagaStatus.PENDING, SagaStatus.COMPENSATING]
    assert ledger.resource(divided, "a").status is ResourceStatus.PLANNED


def test_an_ending_is_decided_again_when_anything_was_written_meanwhile(ledger: Ledger, divided: str) -> None:
    ledger.change_saga(divided, to_saga(SagaStatus.COMPENSATING))
    for resource_id in ("a", "b", "c", "web"):
        ledger.change_resource(divided, resource_id, to_resource(ResourceStatus.ABSENT))
    found: list[bool] = []

    def end(standing: Standing) -> Saga:
        found.append(standing.all_are(ResourceStatus.ABSENT))
        if len(found) == 1:
            ledger.change_resource(divided, "a", to_resource(ResourceStatus.DELETING))
        status = SagaStatus.ROLLED_BACK if found[-1] else SagaStatus.NEEDS_ATTENTION
        return standing.saga.model_copy(update={"status": status})

    ended = ledger.change_saga(divided, end)
    assert found == [True, False]
    assert ended.saga.status is SagaStatus.NEEDS_ATTENTION
    assert {it.saga.status for it in ledger.shards(divided)} == {"NEEDS_ATTENTION"}


def test_an_ending_reaches_every_shard_in_the_write_that_makes_it(
    ledger: Ledger, divided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(saga: Saga, resource: Resource) -> Resource:
        if saga.status is SagaStatus.COMPENSATING:
            ledger.change_saga(divided, to_saga(SagaStatus.NEEDS_ATTENTION))
            return resource.model_copy(update={"status": ResourceStatus.DELETING})
        return resource

    ledger.change_resource(divided, "a", to_resource(ResourceStatus.CREATING))
    ledger.change_saga(divided, to_saga(SagaStatus.COMPENSATING))
    monkeypatch.setattr(type(ledger), "_tell", lambda *_: None)
    saga, resource = ledger.change_resource(divided, "a", late)
    assert (saga.status, resource.status) == (SagaStatus.NEEDS_ATTENTION, ResourceStatus.CREATING)


def test_no_update_of_many_writers_to_all_shards_is_lost_while_the_fence_goes_up(ledger: Ledger, divided: str) -> None:
    for resource_id in "abc":
        ledger.change_resource(divided, resource_id, to_resource(ResourceStatus.CREATING))

    def write(number: int) -> None:
        ledger.change_resource(divided, "abc"[number % 3], with_operation(f"part-{number}"))
        if number == WRITERS // 2:
            ledger.change_saga(divided, to_saga(SagaStatus.COMPENSATING))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    parts = {part for it in whole(ledger, divided).resources for part in it.operations}
    assert parts == {f"part-{number}" for number in range(WRITERS)}
    shards = ledger.shards(divided)
    assert {it.saga.status for it in shards} == {"COMPENSATING"}
    assert sum(it.version for it in shards) == WRITERS + 3
    for shard in shards:
        assert [it.seq for it in ledger.events(divided, shard=shard.number)] == list(range(1, shard.version + 1))
