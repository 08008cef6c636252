"""`skysaga get`, `list`, `events` and the orders: what is shown of sagas, and what becomes of them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from cli import following
from cli.sagas import _sagas
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi

COST = {"billed": "12.5", "effective": "11", "currency": "EUR", "through": "2026-11-26T08:00:00.000Z"}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_IDLE_PAUSE", 0.01)


def committed(api: FakeApi, name: str = "checkout", **changes: Any) -> str:
    saga_id = api.submit(name, **changes)
    api.run(saga_id, "COMMITTED")
    return saga_id


def test_a_saga_is_shown_with_its_resources_and_its_cost_in_each_currency(api: FakeApi, run: Run) -> None:
    saga_id = committed(api, "[checkout]", cost=[COST, {**COST, "currency": "USD", "billed": "3"}])
    result = run("get", saga_id)
    assert result.exit_code == 0
    assert f"{saga_id}  [checkout]  COMMITTED" in result.stdout
    assert "aws-web" in result.stdout
    assert "cost  12.5 EUR billed, 11 effective, through 2026-11-26T08:00:00.000Z" in result.stdout
    assert "cost  3 USD billed" in result.stdout


def test_a_late_source_is_named_beside_the_cost(api: FakeApi, run: Run) -> None:
    freshness = {"window": "2026-11-26T09", "late_sources": ["azure-prod"]}
    assert "late: azure-prod" in run("get", committed(api, cost=[COST], cost_freshness=freshness)).stdout


def test_a_cost_that_is_not_known_is_not_nothing(api: FakeApi, run: Run) -> None:
    assert "nothing is known yet" in run("get", committed(api)).stdout


def test_what_others_named_does_nothing_to_a_terminal(api: FakeApi, run: Run) -> None:
    saga_id = committed(api, "\x1b[2Jgone", labels={"team": "\x1b]0;title\x07"})
    for command in (("get", saga_id), ("list",), ("watch", saga_id)):
        shown = run(*command).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_programs_get_the_document_of_the_api_and_what_it_is(api: FakeApi, run: Run) -> None:
    saga_id = committed(api)
    assert json.loads(run("get", saga_id, "-o", "json").stdout) == {
        "schema": "skysaga.saga.v1",
        **api.sagas[saga_id],
        "resource_counts": {"READY": 2},
        "next_cursor": None,
        "events_cursor": str(len(api.events[saga_id])),
    }


def test_all_pages_are_listed_or_as_many_as_are_wanted(api: FakeApi, run: Run) -> None:
    for _ in range(205):
        api.submit()
    items = json.loads(run("list", "-o", "json").stdout)["items"]
    assert [it["id"] for it in items] == [f"s{number:04}" for number in reversed(range(205))]
    assert api.called("GET /sagas") == 3
    assert len(json.loads(run("list", "-o", "json", "--limit", "101").stdout)["items"]) == 101
    assert len(run("list", "--limit", "2").stdout.splitlines()) == 3


def test_sagas_are_listed_by_status_label_and_name(api: FakeApi, run: Run) -> None:
    shop = committed(api, "shop", labels={"team": "web"})
    api.submit("shop-2")
    api.submit("other")

    def listed(*options: str) -> list[str]:
        return [it["id"] for it in json.loads(run("list", "-o", "json", *options).stdout)["items"]]

    assert listed("--status", "committed") == [shop]
    assert listed("--label", "team=web") == [shop]
    assert listed("--name", "shop*") == ["s0001", shop]
    assert listed("--name", "shop") == [shop]
    assert listed("--name", "shop*", "--limit", "1") == ["s0001"]
    assert "There is no such saga" in run("list", "--name", "none").stdout
    assert run("list", "--status", "BROKEN").exit_code == 2


def test_ids_and_statuses_stay_whole_on_a_narrow_terminal_however_long_a_name_is() -> None:
    saga = {"id": "s1m8b10wzkk4wpsm", "name": "q" * 40, "status": "NEEDS_ATTENTION", "labels": {"team": "payments"}}
    written = StringIO()
    Console(file=written, width=80).print(_sagas([{**saga, "created_at": "2026-11-26T09:00:00.000Z"}]))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith("s1m8b10wzkk4wpsm ")
    assert "NEEDS_ATTENTION" in lines[1]
    assert written.getvalue().count("q") == 40


def test_events_are_shown_from_a_number_on_and_followed_to_the_end(api: FakeApi, run: Run) -> None:
    saga_id = committed(api)
    page = json.loads(run("events", saga_id, "--after", "3", "-o", "json").stdout)
    assert page["schema"] == "skysaga.events.v1"
    assert [it["seq"] for it in page["items"]] == list(range(4, api.sagas[saga_id]["version"] + 1))
    followed = run("events", saga_id, "--after", "3", "--follow", "-o", "json").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in followed] == [it["seq"] for it in page["items"]]
    assert run("events", saga_id, "--follow").stdout == run("events", saga_id).stdout
    assert "Nothing happened after that." in run("events", saga_id, "--after", "99").stdout


def test_a_story_of_more_than_one_page_is_told_to_its_end(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    for _ in range(240):
        api.move(saga_id, "data", "CREATING", "503 from Google; it is tried again", step="create", error="Unavailable")
    api.run(saga_id)
    last = api.sagas[saga_id]["version"]
    page = json.loads(run("events", saga_id, "-o", "json").stdout)
    assert ([it["seq"] for it in page["items"]], page["next_cursor"]) == (list(range(1, last + 1)), str(last))
    assert len(run("events", saga_id, "--follow").stdout.splitlines()) == last


def test_yaml_streams_are_documents_of_their_own(api: FakeApi, run: Run) -> None:
    import yaml  # noqa: PLC0415 - for this one

    saga_id = committed(api)
    found = list(yaml.safe_load_all(run("events", saga_id, "--follow", "-o", "yaml").stdout))
    assert [it["seq"] for it in found] == list(range(1, api.sagas[saga_id]["version"] + 1))


def test_destroying_without_a_terminal_asks_nobody_and_waits_if_it_is_told_to(api: FakeApi, run: Run) -> None:
    first, second = committed(api), committed(api)
    assert run("destroy", first).stdout == f"{first} is being destroyed\n"
    result = run("destroy", second, "--wait")
    assert result.exit_code == 0
    assert f"saga {second}  RELEASED" in result.stdout
    assert "COMMITTED" not in result.stdout


def test_what_is_gone_already_is_not_waited_for(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    api.run(saga_id, "ROLLED_BACK")
    assert run("destroy", saga_id, "--wait", "--timeout", "5s").exit_code == 0
    assert run("cancel", saga_id, "--wait", "--timeout", "5s").exit_code == 0


def test_cancelling_undoes_and_is_done_when_nothing_exists(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    result = run("cancel", saga_id, "--wait", "-o", "json")
    assert result.exit_code == 0
    kinds = [json.loads(line)["schema"] for line in result.stdout.splitlines()]
    assert (kinds[0], kinds[1], kinds[-1]) == ("skysaga.accepted.v1", "skysaga.event.v1", "skysaga.saga.v1")
    assert api.sagas[saga_id]["status"] == "ROLLED_BACK"


def test_an_order_that_the_standing_does_not_allow_fails_and_says_why(api: FakeApi, run: Run) -> None:
    result = run("cancel", committed(api))
    assert result.exit_code == 1
    assert "has committed; DELETE it" in result.stderr
    assert "`skysaga get` says where the saga stands" in result.stderr


def test_what_needs_attention_is_resumed_to_its_end(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    api.run(saga_id, "NEEDS_ATTENTION")
    assert run("watch", saga_id).exit_code == 3
    assert run("resume", saga_id, "--wait").exit_code == 0


def test_what_waits_for_approval_is_approved(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    api.move(saga_id, None, "AWAITING_APPROVAL")
    assert run("approve", saga_id, "--wait").exit_code == 0
    assert api.sagas[saga_id]["status"] == "COMMITTED"


def test_an_approval_that_was_given_before_is_not_waited_for(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    api.move(saga_id, None, "AWAITING_APPROVAL")
    assert run("approve", saga_id).exit_code == 0
    assert run("approve", saga_id, "--wait", "--timeout", "5s").exit_code == 0


def test_a_saga_that_is_not_there_is_bad_input(run: Run) -> None:
    result = run("get", "s9999")
    assert result.exit_code == 2
    assert "404 There is no such saga\nno saga s9999\nCheck the name" in result.stderr


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 2), (403, 2), (404, 2), (409, 1), (412, 1), (413, 2), (422, 2), (429, 4), (500, 4), (503, 4)],
)
def test_each_refusal_has_its_exit_code_and_says_what_to_do(api: FakeApi, run: Run, status: int, code: int) -> None:
    api.trouble(status, path="/sagas/s1")
    result = run("get", "s1")
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 3


def test_an_id_is_no_path(api: FakeApi, run: Run) -> None:
    run("cancel", "../clusters?x=")
    assert "POST /sagas/../clusters?x=/cancel" in api.calls


EMPTY: dict[str, Any] = {"orphans": [], "unknown": [], "overdue": [], "releases": [], "not_swept": []}
FOUND = {"cloud": "aws", "target": "default", "saga_id": "s1", "resource_id": "web", "cloud_id": "i-1"}


def swept(status: str, result: dict[str, Any] | None, error: str | None = None) -> dict[str, Any]:
    times = {"started_at": "2026-11-26T09:00:00.000Z", "ended_at": None}
    return {"id": "w1", "status": status, "dry_run": True, **times, "result": result, "error": error}


@pytest.fixture(name="quick")
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli import sweep  # noqa: PLC0415 - the module, which a command of the same name hides

    monkeypatch.setattr(sweep, "_LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("quick")
def test_a_sweep_is_waited_for_and_shows_what_it_found(api: FakeApi, run: Run) -> None:
    overdue = {"saga_id": "s2", "status": "PROVISIONING", "reason": "COMPENSATE"}
    result = {**EMPTY, "orphans": [FOUND], "unknown": [{**FOUND, "cloud_id": "i-2"}], "overdue": [overdue]}
    api.sweeps = [swept("RUNNING", None), swept("RUNNING", None), swept("COMPLETE", result)]
    api.trouble("refused", path="/sweeps/w1")
    shown = run("sweep", "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "1 orphans: their sagas are over" in shown.stdout
    assert "i-2" in shown.stdout
    assert "A dry run: nothing was released" in shown.stdout


@pytest.mark.usefixtures("quick")
def test_a_sweep_that_found_nothing_says_so(api: FakeApi, run: Run) -> None:
    api.sweeps = [swept("RUNNING", None), swept("COMPLETE", EMPTY)]
    assert "nothing is where it should not be" in run("sweep").stdout


@pytest.mark.usefixtures("quick")
def test_a_sweep_that_did_not_look_everywhere_or_failed_ends_with_1(api: FakeApi, run: Run) -> None:
    missed = {**EMPTY, "not_swept": [{"cloud": "gcp", "target": "prod", "error": "Forbidden"}]}
    api.sweeps = [swept("RUNNING", None), swept("INCOMPLETE", missed)]
    partly = run("sweep")
    api.sweeps = [swept("RUNNING", None), swept("FAILED", None, "States.Timeout")]
    failed = run("sweep")
    assert (partly.exit_code, failed.exit_code) == (1, 1)
    assert "gcp    prod    Forbidden" in partly.stdout
    assert "decided nothing: States.Timeout" in failed.stdout


@pytest.mark.usefixtures("quick")
def test_a_sweep_that_takes_too_long_goes_on(api: FakeApi, run: Run) -> None:
    api.sweeps = [swept("RUNNING", None)]
    result = run("sweep", "--timeout", "1s")
    assert result.exit_code == 5
    assert "sweep w1 goes on" in result.stderr
