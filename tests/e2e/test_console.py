"""The console in a browser: the sagas of `make demo` from submit to commit, removal and roll-back, as they are seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.credentials import Credentials
from playwright.sync_api import Browser, Route, expect

from cli.console.server import ConsoleServer
from cli.console.upstream import Upstream
from cli.endpoint import Deployment as ApiAt
from local.machine import REGION
from tests.console.browser import chromium
from tests.console.looking import PATIENCE, Look, Theme, looking
from tests.e2e.conftest import Deployment

DISKS = ("data-aws", "data-azure", "data-gcp")
INSTANCES = ("web-aws", "web-azure", "web-gcp")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def look(browser: Browser, deployment: Deployment) -> Iterator[Look]:
    with looking(browser, deployment.endpoints.console) as look:
        yield look
        assert look.complaints == []


def left_of(deployment: Deployment, saga: str) -> list[Any]:
    return [it for it in deployment.held() if saga in json.dumps(it)]


def all_are(status: str, resources: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(resources, status)


def ends(look: Look, status: str) -> None:
    expect(look.status()).to_have_text(status, timeout=2 * PATIENCE)


def fault(deployment: Deployment, cloud: str, **settings: Any) -> None:
    url = deployment.endpoints._asdict()[cloud]
    requests.post(f"{url}/_simulator/faults", json=[settings], timeout=10).raise_for_status()


def test_a_saga_is_followed_from_its_submission_to_its_commit_and_its_removal(
    deployment: Deployment, look: Look
) -> None:
    fault(deployment, "aws", operation="CreateVolume", fault="slow", delay=6)  # or it is there before one looks
    look.open("sagas")
    expect(look.page.locator("#live")).to_have_text("Live")
    saga = deployment.submit()
    row = look.page.locator(f'.sagas tr[data-key="{saga}"]')
    expect(row.locator(".badge b")).to_have_text(re.compile("PENDING|PROVISIONING"))
    row.get_by_role("link", name="checkout").click()

    look.expect_nodes(all_are("CREATING", DISKS[:1]))
    look.expect_nodes(all_are("PLANNED", INSTANCES))
    expect(look.page.locator(".graph .heads text")).to_have_text(["Wave 1", "Wave 2"])
    expect(look.page.locator(".graph .edges path")).to_have_count(3)
    look.expect_nodes(all_are("READY", DISKS))
    look.keep("provisioning-light")
    ends(look, "COMMITTED")
    look.expect_nodes(all_are("READY", DISKS + INSTANCES))
    look.expect_spans("web-aws", "PLANNED", "CREATING", "READY")
    look.expect_spans("", "PENDING", "PROVISIONING", "COMMITTED")
    assert look.page.title() == "checkout: COMMITTED · skysaga"
    expect(look.page.get_by_role("button", name="Cancel")).to_be_hidden()
    look.keep("committed-light")

    look.page.get_by_role("button", name="Destroy").click()
    dialog = look.page.get_by_role("dialog")
    expect(dialog).to_contain_text("6 resources are removed for good")
    confirm = dialog.get_by_role("button", name="Destroy it")
    expect(confirm).to_be_disabled()
    look.page.keyboard.type("checkou")
    expect(confirm).to_be_disabled()
    look.page.keyboard.type("t")
    look.keep("destroy-dialog")
    look.page.keyboard.press("Enter")
    ends(look, "RELEASED")
    look.expect_nodes(all_are("ABSENT", DISKS + INSTANCES))
    look.expect_spans("web-aws", "PLANNED", "CREATING", "READY", "DELETING", "ABSENT")
    assert left_of(deployment, saga) == []


def test_a_roll_back_is_shown_as_it_happens_with_the_fault_of_each_resource(deployment: Deployment, look: Look) -> None:
    fault(deployment, "gcp", operation="disks.insert", fault="throttle", times=2)
    fault(deployment, "gcp", operation="instances.insert", fault="capacity", delay=6)
    saga = deployment.submit()
    look.open(f"sagas/{saga}")

    retries = look.row("data-gcp").locator(".mark.fault")
    expect(retries).to_have_count(2)
    retries.first.hover()
    expect(look.page.locator(".details")).to_contain_text("create: rateLimitExceeded")
    expect(look.row("data-gcp").locator(".span.again").first).to_be_visible()

    ends(look, "COMPENSATING")
    expect(look.page.locator(".graph")).to_have_class("graph back")
    expect(look.page.locator(".graph .heads text")).to_have_text(["Wave 1 · goes last", "Wave 2 · goes first"])
    expect(look.page.locator(".graph .edges path").first).to_have_attribute("marker-start", "url(#arrow)")
    look.expect_nodes(all_are("ABSENT", INSTANCES[2:]))
    assert {look.node(it).get_attribute("data-status") for it in DISKS} == {"READY"}
    look.keep("roll-back-light")
    with looking(look.page.context.browser, look.url, "dark") as other:  # type: ignore[arg-type]  # it has one
        other.open(f"sagas/{saga}")
        expect(other.status()).to_have_text(re.compile("COMPENSATING|ROLLED_BACK"))
        other.keep("roll-back-dark")
    ends(look, "ROLLED_BACK")
    look.expect_nodes(all_are("ABSENT", DISKS + INSTANCES))
    look.expect_spans("web-gcp", "PLANNED", "CREATING", "FAILED", "DELETING", "ABSENT")
    expect(look.row("web-gcp").locator(".mark.failure")).to_have_count(1)
    expect(look.page.get_by_role("alert")).to_contain_text("ZONE_RESOURCE_POOL_EXHAUSTED")
    expect(look.page.locator(".events tbody tr")).to_have_count(deployment.api.get(saga)["version"])
    assert left_of(deployment, saga) == []


def test_a_saga_is_cancelled_with_the_keyboard_alone(deployment: Deployment, look: Look) -> None:
    fault(deployment, "aws", operation="CreateVolume", fault="slow", delay=4)
    saga = deployment.submit()
    look.open(f"sagas/{saga}")
    ends(look, "PROVISIONING")
    look.page.keyboard.press("Tab")
    assert look.focused() == "Skip to the content"
    look.page.keyboard.press("Enter")
    look.tab_to("Cancel")
    look.page.keyboard.press("Enter")
    dialog = look.page.get_by_role("dialog", name="Cancel checkout?")
    expect(dialog).to_contain_text("nothing of it is left")
    assert look.focused() == "Back"
    look.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert look.focused() == "Cancel"
    look.page.route("**/cancel", refuse)
    look.page.keyboard.press("Enter")
    look.tab_to("Cancel the saga")
    look.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Ask for the grant.")
    look.page.unroute("**/cancel")
    look.complaints.clear()  # the browser notes each answer of 403
    look.tab_to("Cancel the saga")
    look.page.keyboard.press("Enter")
    ends(look, "ROLLED_BACK")
    assert look.focused() == "checkout"
    expect(look.page.locator(".orders button:visible")).to_have_count(0)
    look.tab_to("data-aws aws ∅ ABSENT, disk")
    look.page.keyboard.press("Enter")
    expect(look.page.locator(".about h3")).to_have_text("data-aws")
    assert look.focused() == "data-aws aws ∅ ABSENT, disk"


def test_it_goes_on_where_it_was_when_the_console_was_away(deployment: Deployment, browser: Browser) -> None:
    upstream = Upstream(ApiAt(deployment.endpoints.api, Credentials("local", "local"), REGION))
    server = ConsoleServer(upstream)
    port = int(server.url.rpartition(":")[2])
    with looking(browser, server.url) as look:
        saga = deployment.submit()
        look.open(f"sagas/{saga}")
        ends(look, "PROVISIONING")
        server.close()
        expect(look.page.locator("#live")).to_have_text("Reconnecting…")
        expect(look.page.locator("#said")).to_contain_text("Reconnecting")
        deployment.api.cancel(saga)
        deployment.wait(saga)
        with ConsoleServer(upstream, port):
            ends(look, "ROLLED_BACK")
            expect(look.page.locator("#live")).to_have_text("Live")
            version = deployment.api.get(saga)["version"]
            expect(look.page.locator(".events tbody tr")).to_have_count(version)
            shown = look.page.locator(".events tbody tr").evaluate_all("them => them.map(it => Number(it.dataset.seq))")
            assert shown == list(range(version, 0, -1))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_is_readable_for_everybody(deployment: Deployment, browser: Browser, theme: Theme) -> None:
    saga = deployment.api.sagas(limit=1)["items"][0]["id"]
    with looking(browser, deployment.endpoints.console, theme) as look:
        look.page.route("**/api/costs?*", answer_costs)
        for view, shown in (
            ("sagas", ".sagas tbody tr"),
            (f"sagas/{saga}", ".graph .node"),
            ("clusters", ".cluster"),
            ("costs", ".chart .part"),
        ):
            look.open(view)
            look.page.locator(shown).first.wait_for()
            look.keep(f"{view.partition('/')[0]}{'-one' if '/' in view else ''}-{theme}")
            assert look.barriers() == [], view
        assert look.complaints == []


def test_every_view_fits_a_narrow_window(deployment: Deployment, browser: Browser) -> None:
    saga = deployment.api.sagas(limit=1)["items"][0]["id"]
    with looking(browser, deployment.endpoints.console, width=400) as look:
        look.page.route("**/api/costs?*", answer_costs)
        for view, shown in (
            ("sagas", ".sagas tbody tr"),
            (f"sagas/{saga}", ".graph .node"),
            ("clusters", ".cluster"),
            ("costs", ".chart .part"),
        ):
            look.open(view)
            look.page.locator(shown).first.wait_for()
            look.keep(f"{view.partition('/')[0]}{'-one' if '/' in view else ''}-narrow")
            assert look.sideways() == 0, view


def test_clusters_show_their_load_their_claims_and_the_age_of_their_report(look: Look, deployment: Deployment) -> None:
    there = next(it for it in deployment.api.clusters() if it["name"] == "vc-1")
    look.open("clusters")
    card = look.page.get_by_role("region", name="vc-1")
    expect(card).to_contain_text(f"of {there['claimable']['cpu']}")
    expect(card).to_contain_text(f"{there['hosts']['usable']} of {there['hosts']['all']} hosts usable")
    expect(card).to_contain_text("ago)")
    expect(card.locator(".badge b")).to_have_text("ok")
    drained = json.dumps({"items": [{**there, "drained": True}]})
    look.page.route("**/api/clusters", lambda route: route.fulfill(body=drained))
    expect(card.locator(".badge b")).to_have_text("drained")


def test_costs_are_never_added_across_currencies_and_late_sources_are_marked(look: Look) -> None:
    look.page.route("**/api/costs?*", answer_costs)
    look.open("costs?by=service&days=7")
    headings = look.page.locator(".currency h2")
    expect(headings).to_have_text(["0.30 EUR", "11.50 USD"])
    dollars = look.page.get_by_role("region", name="USD", exact=True)
    expect(dollars.locator("tbody tr")).to_have_text(["Compute12.00", "(no service)-0.50"])
    expect(dollars.locator(".chart .part")).to_have_count(3)
    expect(look.page.locator(".notice")).to_contain_text("Late: gcp")
    look.page.get_by_role("combobox", name="By").select_option("provider")
    expect(look.page).to_have_url(re.compile(r"#/costs\?by=provider&days=7$"))


def test_a_deployment_that_collects_no_costs_says_so_kindly(look: Look) -> None:
    title = {"title": "This deployment collects no costs", "status": 404}
    look.page.route("**/api/costs?*", lambda route: route.fulfill(status=404, body=json.dumps(title)))
    look.open("costs")
    expect(look.page.locator(".notice")).to_contain_text("Declare sources of billing")
    look.complaints.clear()  # the browser notes each answer of 404


def test_filters_are_in_the_address_and_old_sagas_a_button_away(deployment: Deployment, look: Look) -> None:
    look.open("sagas?status=ROLLED_BACK&label=team%3Dpayments")
    rows = look.page.locator(".sagas tbody tr")
    rows.first.wait_for()
    assert set(rows.locator(".badge b").all_text_contents()) == {"ROLLED_BACK"}
    look.page.get_by_label("Name").fill("nothing is called so")
    expect(look.page.locator(".count")).to_contain_text("0 of")
    expect(look.page).to_have_url(re.compile(r"status=ROLLED_BACK&label=team%3Dpayments&name=nothing"))
    look.page.get_by_label("Name").fill("")
    look.page.route("**/api/sagas?limit=50", first_page)
    look.page.route("**/api/sagas?limit=50&cursor=*", lambda route: route.fulfill(body=page_of(1, None)))
    look.page.get_by_label("Label").fill("")
    look.page.get_by_label("Status").select_option("")
    expect(rows).to_have_count(1)
    look.page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(2)
    expect(look.page.get_by_role("button", name="Older")).to_be_hidden()
    assert look.focused() == "Sagas"


def refuse(route: Route) -> None:
    problem = {"title": "You were not granted this", "status": 403, "detail": "Ask for the grant.", "errors": []}
    route.fulfill(status=403, content_type="application/problem+json", body=json.dumps(problem))


def first_page(route: Route) -> None:
    route.fulfill(body=page_of(2, "s0000002"))


def page_of(number: int, cursor: str | None) -> str:
    saga: dict[str, Any] = {
        "id": f"s000000{number}",
        "name": "checkout",
        "status": "COMMITTED",
        "caller": "arn:aws:iam::123456789012:user/local",
        "labels": {},
        "created_at": "2026-11-25T10:00:00.000Z",
        "finished_at": "2026-11-25T10:00:10.000Z",
        "expires_at": None,
    }
    return json.dumps({"items": [saga], "next_cursor": cursor})


def answer_costs(route: Route) -> None:
    """Three lines in two currencies, a credit among them, and a source that is late."""
    asked = route.request.url
    group = re.search(r"group_by=(\w+)", asked)
    by = group[1] if group else "service"
    last = (re.search(r"to=([\d-]+)", asked) or [""])[1]
    first = (re.search(r"from=([\d-]+)", asked) or [""])[1]
    lines = [("Compute", last, "USD", "7"), ("Compute", first, "USD", "5"), (None, last, "USD", "-0.5")]
    lines += [("Disks", last, "EUR", "0.1"), ("Disks", first, "EUR", "0.2")]
    source: dict[str, Any] = {"kind": "gcp-bigquery", "account": None, "collected_at": None, "data_through": None}
    source |= {"closed_through": f"{first}T00:00:00.000Z", "windows_open": 4, "failure": None}
    answer = {
        "version": 1,
        "costs": "own",
        "group_by": [by, "day"],
        "from": first,
        "to": last,
        "items": [
            {"keys": {by: name, "day": day}, "currency": currency, "billed": billed, "effective": billed}
            for name, day, currency, billed in lines
        ],
        "next_cursor": None,
        "freshness": [
            {**source, "source": "aws", "provider": "aws", "windows_behind": 0, "late": False},
            {**source, "source": "gcp", "provider": "gcp", "windows_behind": 5, "late": True},
        ],
    }
    route.fulfill(body=json.dumps(answer))
