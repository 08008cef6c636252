"""What callers see of a saga that is divided: its resources in pages, and its events by their cursors."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from lambdas.core.errors import RequestError
from lambdas.core.request import MAX_RESOURCES
from lambdas.core.sagas import EVENTS_IN_A_PAGE, MOST_SHOWN, Sagas
from lambdas.core.states import ResourceStatus
from tests.fakes.documents import aws_disk
from tests.fakes.executions import FakeExecutions
from tests.unit.core.world import World

MANY: Final = 130


def opened(world: World, count: int = MANY) -> str:
    """A pending saga of so many disks, of each of which a create begins one part, and writes two events."""
    world.cloud.seconds_to_ready = 10
    return world.open(*[aws_disk(f"d{number:04}") for number in range(count)])


def test_its_resources_come_in_pages_each_once(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    seen: list[str] = []
    page = sagas.get(saga_id, limit=40)
    while page.following is not None:
        assert len(page.resources) == 40
        seen += [it.id for it in page.resources]
        page = sagas.get(saga_id, page.following, 40)
    assert [*seen, *(it.id for it in page.resources)] == [f"d{number:04}" for number in range(MANY)]


@pytest.mark.parametrize(("limit", "following"), [(MANY, None), (MANY + 1, None), (MANY - 1, f"d{MANY - 2:04}")])
def test_the_last_page_has_none_after_it(world: World, sagas: Sagas, limit: int, following: str | None) -> None:
    page = sagas.get(opened(world), limit=limit)
    assert (page.following, len(page.resources)) == (following, min(limit, MANY))


def test_the_largest_saga_is_shown_in_pages_of_a_thousand(world: World, sagas: Sagas) -> None:
    page = sagas.get(opened(world, MAX_RESOURCES))
    assert (len(page.resources), page.following) == (MOST_SHOWN, f"d{MOST_SHOWN - 1:04}")
    assert page.counts == {ResourceStatus.PLANNED: MAX_RESOURCES}
    assert len(page.cursor) <= 99


def test_every_page_counts_all_resources_by_their_status(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    world.make_ready(saga_id, "d0000")
    world.sagas.fail(saga_id, "d0129", "Quota: none left")
    for after in (None, "d0100"):
        counts = {status: number for status, number in sagas.get(saga_id, after, 10).counts.items() if number}
        assert counts == {ResourceStatus.READY: 1, ResourceStatus.FAILED: 1, ResourceStatus.PLANNED: MANY - 2}


def test_its_events_are_each_given_once_whichever_order_of_writes_they_are_of(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    for number in range(0, MANY, 10):
        world.provisioning.create(saga_id, f"d{number:04}")
        world.clock.advance(1)
    seen: Counter[tuple[int | None, int]] = Counter()
    cursor: tuple[int, ...] = (0,)
    while (page := sagas.events(saga_id, cursor, 0)).events:
        assert len(page.events) <= EVENTS_IN_A_PAGE
        assert [it.at for it in page.events] == sorted(it.at for it in page.events)
        seen.update((it.shard, it.seq) for it in page.events)
        cursor = page.cursor
    assert set(seen.values()) == {1}
    assert len(seen) == 2 + 2 * 13
    assert cursor == sagas.get(saga_id).cursor


def test_more_events_than_a_page_has_are_on_the_next_ones(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    for number in range(MANY):
        world.provisioning.create(saga_id, f"d{number:04}")
    pages = [sagas.events(saga_id, (0,), 0)]
    while pages[-1].events:
        pages.append(sagas.events(saga_id, pages[-1].cursor, 0))
    assert [len(it.events) for it in pages] == [100, 100, 62, 0]


def test_who_cannot_keep_up_hears_first_of_the_saga_then_of_where_most_has_happened(
    world: World, sagas: Sagas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.core.sagas.EVENTS_IN_A_PAGE", 6)
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    for resource in ("d0000", "d0129", "d0128"):
        world.provisioning.create(saga_id, resource)
    found = sagas.events(saga_id, (0,), 0).events
    assert {it.resource_id for it in found} == {None, "d0129", "d0128"}
    assert [it.resource_id for it in sagas.events(saga_id, sagas.events(saga_id, (0,), 0).cursor, 0).events] == [
        "d0000"
    ] * 2


def test_what_is_shown_of_a_saga_and_the_events_after_its_cursor_are_all_there_is(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    world.provisioning.create(saga_id, "d0000")
    cursor = sagas.get(saga_id, limit=1).cursor
    assert sagas.events(saga_id, cursor, 0).events == []
    world.provisioning.create(saga_id, "d0100")
    assert {it.resource_id for it in sagas.events(saga_id, cursor, 0).events} == {"d0100"}


def test_a_long_poll_hears_of_a_resource_of_any_shard(world: World) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    looks = 0

    def pause(seconds: float) -> None:
        nonlocal looks
        world.clock.advance(seconds)
        looks += 1
        if looks == 3:
            world.provisioning.create(saga_id, f"d{MANY - 1:04}")

    sagas = Sagas(world.ledger, FakeExecutions(), world.clock, pause)
    found = sagas.events(saga_id, sagas.get(saga_id).cursor, wait=20)
    assert {it.resource_id for it in found.events} == {f"d{MANY - 1:04}"}
    assert looks == 3


def test_a_long_poll_looks_at_all_shards_twice_a_second(world: World) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        world.clock.advance(seconds)
        pauses.append(seconds)

    sagas = Sagas(world.ledger, FakeExecutions(), world.clock, pause)
    saga_id = opened(world)
    assert sagas.events(saga_id, sagas.get(saga_id).cursor, wait=20).events == []
    assert pauses == [0.5] * 40


def test_a_number_alone_is_a_cursor_of_the_sagas_own_events(world: World, sagas: Sagas) -> None:
    saga_id = opened(world)
    world.sagas.begin(saga_id)
    world.provisioning.create(saga_id, "d0000")
    found = sagas.events(saga_id, (1,), 0).events
    assert [(it.resource_id, it.seq) for it in found] == [(None, 2), ("d0000", 1), ("d0000", 2)]


@pytest.mark.parametrize("count", [2, MANY])
def test_a_cursor_of_a_saga_with_more_shards_is_refused(world: World, sagas: Sagas, count: int) -> None:
    saga_id = opened(world, count)
    with pytest.raises(RequestError, match="the cursor of another saga"):
        sagas.events(saga_id, (0,) * 9, 0)
