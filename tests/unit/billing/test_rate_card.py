"""Reading what private clusters cost from the ledger: whole, the same again, and compared with what they report."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from lambdas.billing.rate_card import Discrepancies, RateCardCosts, cost_source
from lambdas.core.billing.sources import CostQuery, RateCard, Rates
from lambdas.core.billing.spans import HOUR, Span, window_of
from lambdas.core.errors import CursorExpired, TerminalError
from lambdas.core.ports.costs import Page, Row, Rows
from lambdas.core.ports.ledger import Snapshot
from tests.fakes.documents import vsphere_instance
from tests.fakes.private_provider import Machine
from tests.unit.core.private_world import WEB, make_private_world

RATES = Rates(cpu_hour=Decimal("0.03"), memory_gb_hour=Decimal("0.004"), disk_gb_hour=Decimal("0.0001"))
MACHINE_HOUR = Decimal("0.078")


class Site:
    """Two clusters, a rate card for them, and what was noticed."""

    def __init__(self) -> None:
        self.world = make_private_world()
        self.world.declare("berlin-1", "berlin-2")
        self.began = self.world.clock.now()
        self.noticed: list[Discrepancies] = []
        self.card = RateCard(name="berlin", provider="vsphere", currency="EUR", rates=RATES, since=self.began)

    def costs(self, page_rows: int = 1000) -> RateCardCosts:
        world = self.world
        return RateCardCosts(
            self.card, world.ledger, world.clusters, world.clock, lambda _, it: self.noticed.append(it), page_rows
        )

    def committed(self, *names: str) -> str:
        saga = self.world.provisioning_saga(*(vsphere_instance(name) for name in names or (WEB,)))
        for name in names or (WEB,):
            self.world.build(saga, name)
        self.world.sagas.decide(saga, 0)
        return saga

    def wait(self, **time: float) -> None:
        self.world.clock.advance(timedelta(**time).total_seconds())

    def span(self) -> Span:
        """From the beginning until the hour that has just ended."""
        return Span(self.began, window_of(self.world.clock.now()))

    def pages(self, span: Span | None = None, page_rows: int = 1000) -> list[list[Row]]:
        costs, cursor, found = self.costs(page_rows), None, []
        while True:
            page = costs.page(span or self.span(), cursor, None)
            assert isinstance(page, Page)
            assert isinstance(page.content, Rows)
            found.append(list(page.content.rows))
            cursor = page.cursor
            if cursor is None:
                return found

    def rows(self, span: Span | None = None) -> list[Row]:
        return [row for page in self.pages(span) for row in page]


@pytest.fixture
def site() -> Site:
    return Site()


def billed(rows: list[Row]) -> Decimal:
    return sum((Decimal(str(row["BilledCost"])) for row in rows), Decimal(0))


def at(row: Row) -> datetime:
    start = row["ChargePeriodStart"]
    assert isinstance(start, datetime)
    return start


def test_a_machine_costs_from_when_it_was_ready_until_it_was_gone(site: Site) -> None:
    saga = site.committed()
    site.wait(hours=5)
    site.world.release(saga)
    machine = site.world.resource(saga)
    site.wait(hours=5)

    rows = site.rows()
    assert machine.ready_at is not None
    assert machine.gone_at is not None
    lived = Decimal((machine.gone_at - machine.ready_at).total_seconds()) / 3600
    assert abs(billed(rows) - lived * MACHINE_HOUR) < Decimal("1e-18")
    assert {row["SkuId"] for row in rows} == {"vsphere-cpu", "vsphere-memory", "vsphere-disk"}


def test_what_it_costs_is_tagged_as_the_machine_is(site: Site) -> None:
    saga = site.committed()
    site.wait(hours=2)
    row = site.rows()[0]
    tags = {"skysaga-saga": saga, "skysaga-resource": WEB, "skysaga-version": "1", "team": "payments"}
    assert (row["Tags"], row["ResourceId"]) == (tags, f"{saga}-{WEB}")


def test_what_was_never_ready_costs_nothing(site: Site) -> None:
    saga = site.world.provisioning_saga()
    site.world.placing.create(saga, WEB)
    site.wait(hours=5)
    assert site.rows() == []


def test_an_outage_loses_nothing_and_an_hour_read_again_is_the_same(site: Site) -> None:
    saga = site.committed("web", "db")
    hours = []
    for _ in range(4):
        site.wait(hours=1)
        now = window_of(site.world.clock.now())
        hours += site.rows(Span(now - HOUR, now))
    site.world.release(saga)
    site.wait(days=30)

    again = [row for row in site.rows(Span(site.began, site.began + 4 * HOUR)) if at(row) < at(hours[-1])]
    assert sorted(map(repr, again)) == sorted(repr(row) for row in hours if at(row) < at(hours[-1]))


def test_a_machine_that_is_found_once_more_after_it_was_gone_costs_nothing_more(site: Site) -> None:
    saga = site.committed()
    site.wait(hours=2)
    site.world.release(saga)
    before = site.rows(Span(site.began, site.began + 3 * HOUR))
    gone_at = site.world.resource(saga).gone_at
    site.wait(hours=1)
    site.world.provider.machines.append(Machine(str(site.world.resource(saga).cluster), saga, WEB, 0))
    site.world.release(saga)

    assert site.world.resource(saga).gone_at == gone_at
    assert site.rows(Span(site.began, site.began + 3 * HOUR)) == before


def test_pages_hold_whole_hours_and_every_row_is_on_one(site: Site) -> None:
    site.committed("web", "db", "cache")
    site.wait(hours=50)

    small, large = site.pages(page_rows=1), site.pages(page_rows=100_000)
    assert [len({at(row) for row in page}) for page in small] == [1] * len(small)
    assert max(len({at(row) for row in page}) for page in large) == 24
    assert [row for page in small for row in page] != []
    assert sorted(repr(row) for page in small for row in page) == sorted(repr(row) for page in large for row in page)


def test_a_page_is_made_anew_by_whoever_carries_on(site: Site) -> None:
    site.committed()
    site.wait(hours=30)
    first = site.costs(3).page(site.span(), None, None)
    assert isinstance(first, Page)
    assert site.costs(3).page(site.span(), first.cursor, None) == site.costs(3).page(site.span(), first.cursor, None)


@pytest.mark.parametrize("cursor", ["", "nonsense", "2020-01-01T00", "2030-01-01T00"])
def test_a_cursor_of_another_span_is_to_be_read_from_its_beginning(site: Site, cursor: str) -> None:
    site.wait(hours=2)
    with pytest.raises(CursorExpired):
        site.costs().page(site.span(), cursor, None)


def test_another_targets_machines_are_none_of_the_cards(site: Site) -> None:
    site.committed()
    site.wait(hours=2)
    site.card = site.card.model_copy(update={"target": "payments"})
    assert site.rows() == []


def test_where_ledger_and_clusters_agree_nothing_is_said(site: Site) -> None:
    site.committed()
    site.wait(hours=2)
    site.world.report()
    site.rows()
    assert site.noticed == []


def test_a_machine_that_is_reported_and_not_known_is_named_and_not_charged(site: Site) -> None:
    site.committed()
    site.world.provider.machines.append(Machine("berlin-1", "s0elsewhere", WEB, 0))
    site.wait(hours=2)
    site.world.report()

    assert {row["Tags"]["skysaga-saga"] for row in site.rows()} != {"s0elsewhere"}  # type: ignore[index]
    assert site.noticed == [Discrepancies((f"s0elsewhere/{WEB}",), ())]


def test_a_machine_that_is_reported_after_it_was_gone_is_named(site: Site) -> None:
    saga = site.committed()
    site.world.release(saga)
    cluster = str(site.world.resource(saga).cluster)
    site.world.provider.machines.append(Machine(cluster, saga, WEB, 0))
    site.wait(hours=2)
    site.world.report()
    site.rows()
    assert site.noticed == [Discrepancies((f"{saga}/{WEB}",), ())]


def test_a_machine_that_its_cluster_does_not_report_any_more_is_named_and_still_charged(site: Site) -> None:
    saga = site.committed()
    site.world.provider.machines.clear()
    site.wait(hours=2)
    site.world.report()
    assert site.rows() != []
    assert site.noticed == [Discrepancies((), (f"{saga}/{WEB}",))]


def test_a_machine_that_is_being_built_is_no_discrepancy(site: Site) -> None:
    saga = site.world.provisioning_saga()
    site.world.placing.create(saga, WEB)
    site.world.provider.machines.append(Machine(str(site.world.resource(saga).cluster), saga, WEB, 0))
    site.wait(hours=1)
    site.world.report()
    site.rows()
    assert site.noticed == []


def test_however_many_machines_are_being_built_their_saga_is_read_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"web-{number}" for number in range(20)]
    saga = site.world.provisioning_saga(*(vsphere_instance(name, cpu=1, memory_gb=1, disk_gb=1) for name in names))
    for name in names:
        site.world.placing.create(saga, name)
        site.world.provider.machines.append(Machine(str(site.world.resource(saga, name).cluster), saga, name, 0))
    site.world.provider.machines.append(Machine("berlin-1", "s-of-nobody", "web", 0))
    site.wait(hours=1)
    site.world.report()
    read: list[str] = []
    page = site.world.ledger.page

    def counted(saga_id: str, after: str | None, limit: int) -> Snapshot:
        read.append(saga_id)
        return page(saga_id, after, limit)

    monkeypatch.setattr(site.world.ledger, "page", counted)
    monkeypatch.setattr(site.world.ledger, "resource", None)

    site.rows()

    assert site.noticed == [Discrepancies(("s-of-nobody/web",), ())]
    assert read.count(saga) <= 2  # once for each cluster


def test_what_was_long_ago_is_not_compared_with_what_is_reported_now(site: Site) -> None:
    site.committed()
    site.world.provider.machines.clear()
    site.wait(days=2)
    site.world.report()
    site.rows(Span(site.began, site.began + 24 * HOUR))
    assert site.noticed == []


def test_a_source_of_another_kind_is_refused() -> None:
    source = CostQuery(name="azure", subscription="0", since=Site().began)
    with pytest.raises(TerminalError, match="no rate card"):
        cost_source(source)


def test_a_machine_that_the_history_has_missed_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    saga = site.committed()
    site.wait(hours=2)
    site.world.report()
    monkeypatch.setattr(site.world.ledger, "lived", lambda *_: [])
    assert site.rows() == []
    assert site.noticed == [Discrepancies((f"{saga}/{WEB}",), ())]
