"""A saga of thousands of resources in the console: a page of them, counts of all, and no more than can be drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials
from playwright.sync_api import expect

from cli.console.server import ConsoleServer
from cli.console.upstream import Upstream
from cli.endpoint import Deployment
from local.http_server import serve
from tests.console.browser import chromium
from tests.console.looking import Look, looking
from tests.unit.cli.fake_api import FakeApi

MANY = 2500


@pytest.fixture(name="api")
def _api() -> FakeApi:
    return FakeApi()


@pytest.fixture(name="look")
def _look(api: FakeApi) -> Iterator[Look]:
    with serve(api, name="api") as behind:
        upstream = Upstream(Deployment(behind.url, Credentials("test", "test"), "eu-west-1"))
        with ConsoleServer(upstream) as server, chromium() as browser, looking(browser, server.url) as look:
            yield look
            assert look.complaints == []


def names(look: Look) -> list[str]:
    return look.page.locator("section:has(.pages) tbody th").all_text_contents()


def test_its_resources_are_shown_page_by_page_with_counts_of_them_all(api: FakeApi, look: Look) -> None:
    saga_id = api.submit_large(MANY)
    look.open(f"sagas/{saga_id}")
    expect(look.page.get_by_text("2,500 PLANNED")).to_be_visible()
    expect(look.page.get_by_text("2,500 resources, by their names; shown: d00000 to d00099")).to_be_visible()
    assert names(look) == [f"d{number:05}" for number in range(100)]
    look.page.get_by_role("button", name="Next").click()
    expect(look.page.get_by_text("shown: d00100 to d00199")).to_be_visible()
    assert names(look) == [f"d{number:05}" for number in range(100, 200)]
    look.page.get_by_role("button", name="First").click()
    expect(look.page.get_by_text("shown: d00000 to d00099")).to_be_visible()
    expect(look.page.get_by_role("button", name="First")).to_be_disabled()
    assert look.sideways() <= 0
    assert look.barriers() == []


def test_what_happens_to_it_is_followed_though_nothing_is_drawn_of_it(api: FakeApi, look: Look) -> None:
    saga_id = api.submit_large(MANY)
    api.move(saga_id, "d02400", "CREATING", "before anybody looked")
    look.open(f"sagas/{saga_id}")
    expect(look.page.get_by_text("There are too many resources for a graph and a timeline.")).to_be_visible()
    expect(look.page.locator(".graph")).to_be_hidden()
    expect(look.page.locator(".timeline")).to_be_hidden()
    api.move(saga_id, None, "PROVISIONING")
    api.move(saga_id, "d00003", "CREATING")
    api.move(saga_id, "d02499", "FAILED", "Quota: none left")
    expect(look.status()).to_have_text("PROVISIONING")
    events = look.page.locator(".events tbody tr")
    expect(events).to_have_count(3)
    expect(events.filter(has_text="d02499")).to_contain_text("Quota: none left")
    expect(look.page.get_by_text("2,497 PLANNED")).to_be_visible()
    expect(look.page.locator('section:has(.pages) tr[data-key="d00003"]')).to_contain_text("CREATING")


def test_an_order_says_how_many_resources_it_is_about(api: FakeApi, look: Look) -> None:
    saga_id = api.submit_large(MANY)
    api.move(saga_id, None, "COMMITTED")
    look.open(f"sagas/{saga_id}")
    look.page.get_by_role("button", name="Destroy").click()
    expect(look.page.get_by_role("dialog")).to_contain_text("2,500 resources are removed for good")
    expect(look.page.get_by_role("dialog")).to_contain_text("Of its 2,500 resources there are now: 2,500 PLANNED.")


def test_a_saga_that_can_be_drawn_has_no_pages(api: FakeApi, look: Look) -> None:
    saga_id = api.submit()
    api.run(saga_id, "COMMITTED")
    look.open(f"sagas/{saga_id}")
    look.expect_nodes({"data": "READY", "web": "READY"})
    expect(look.row("web")).to_be_visible()
    expect(look.page.locator(".pages")).to_be_hidden()
    expect(look.page.locator(".events tbody tr")).to_have_count(api.sagas[saga_id]["version"])
    api.move(saga_id, None, "RELEASING")
    api.move(saga_id, "web", "DELETING")
    expect(look.status()).to_have_text("RELEASING")
    expect(look.page.locator(".events tbody tr")).to_have_count(api.sagas[saga_id]["version"])
