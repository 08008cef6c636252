"""Sagas of thousands of resources: all of them for programs, counts and what is wrong for people."""

from __future__ import annotations

import json
import re
import threading
import time
from io import StringIO
from typing import Any, Final

import pytest
import yaml
from rich.console import Console

from cli import following, progress
from cli.counting import most_telling
from cli.progress import LiveTable
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi
from tests.unit.cli.test_terminal import Open, _terminal  # noqa: F401 - a fixture

MANY: Final = 2500
WIDTH: Final = 100


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_IDLE_PAUSE", 0.01)


def provision(api: FakeApi, saga_id: str, count: int, failing: int = 0) -> None:
    """All of them, of which the last ones fail."""
    api.move(saga_id, None, "PROVISIONING")
    for number in range(count):
        api.move(saga_id, f"d{number:05}", "CREATING")
        failed = number >= count - failing
        api.move(
            saga_id, f"d{number:05}", "FAILED" if failed else "READY", f"Quota: none for {number}" if failed else None
        )


def finished(api: FakeApi, count: int = MANY, failing: int = 0) -> str:
    saga_id = api.submit_large(count)
    provision(api, saga_id, count, failing)
    api.move(saga_id, None, "COMPENSATING" if failing else "COMMITTED")
    if failing:
        api.move(saga_id, None, "ROLLED_BACK")
    return saga_id


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_programs_get_all_of_its_resources_through_all_pages(api: FakeApi, run: Run, output: str, read: Any) -> None:
    saga_id = finished(api, 1200)
    document = read(run("get", saga_id, "-o", output).stdout)
    assert [it["id"] for it in document["resources"]] == [f"d{number:05}" for number in range(1200)]
    assert (document["resource_counts"], document["next_cursor"]) == ({"READY": 1200}, None)
    assert api.called(f"GET /sagas/{saga_id}") == 2


def test_people_get_counts_what_is_wrong_and_how_to_see_the_others(api: FakeApi, run: Run) -> None:
    saga_id = finished(api, failing=3)
    lines = run("get", saga_id).stdout.splitlines()
    assert "2,500 resources: 2,497 READY, 3 FAILED" in lines
    assert "and 2,450 more: `skysaga get s0000 -o json` has all of them" in lines
    assert sum(line.startswith("d0") for line in lines) == 50
    for number in range(MANY - 3, MANY):
        assert any(line.startswith(f"d{number:05}") and f"Quota: none for {number}" in line for line in lines)


def test_a_saga_of_as_many_as_have_a_line_each_is_shown_whole(api: FakeApi, run: Run) -> None:
    saga_id = api.submit_large(50)
    text = run("get", saga_id).stdout
    assert sum(line.startswith("d0") for line in text.splitlines()) == 50
    assert "more:" not in text


def test_all_that_is_wrong_shows_before_what_moves_and_what_rests() -> None:
    statuses = ["READY", "CREATING", "STUCK", "PLANNED", "FAILED", "DELETING"]
    resources = [{"id": str(number), "status": status} for number, status in enumerate(statuses)]
    assert [[it["id"] for it in most_telling(resources, most)] for most in (2, 4, 5, 6)] == [
        ["2", "4"],
        ["1", "2", "4", "5"],
        ["1", "2", "3", "4", "5"],
        ["0", "1", "2", "3", "4", "5"],
    ]


def test_without_a_terminal_its_progress_is_counted_and_what_fails_is_named(
    api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_COUNTS_SECONDS", 0.05)
    saga_id = api.submit_large(600)
    working = threading.Timer(0.3, lambda: _work(api, saga_id))
    working.start()
    result = run("watch", saga_id)
    working.join()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) < 100, "nobody reads a line for each of 1,200 events"
    assert "600 resources: 600 PLANNED" in lines
    assert sum("FAILED" in line and "Quota: none for" in line for line in lines) == 20
    assert lines[-1] == "Nothing of it exists."
    assert "600 resources: 570 READY, 30 FAILED" in lines
    assert sum(line.startswith("because of") for line in lines) == 20
    assert "and of 10 more: `skysaga get s0000 -o json` names them" in lines


def _work(api: FakeApi, saga_id: str) -> None:
    provision(api, saga_id, 600, failing=30)
    api.move(saga_id, None, "COMPENSATING")
    api.move(saga_id, None, "ROLLED_BACK")


def test_what_its_resources_did_is_told_though_the_api_gives_the_ending_first(api: FakeApi, run: Run) -> None:
    saga_id = finished(api, 300)
    found = [json.loads(line) for line in run("events", saga_id, "--follow", "-o", "json").stdout.splitlines()]
    assert len({it["seq"] for it in found}) == len(found) == len(api.events[saga_id])
    assert {it["resource"] for it in found} == {None, *(f"d{number:05}" for number in range(300))}


def test_its_events_so_far_are_one_document_in_the_order_of_time(api: FakeApi, run: Run) -> None:
    saga_id = finished(api, 300)
    page = json.loads(run("events", saga_id, "-o", "json").stdout)
    assert [it["at"] for it in page["items"]] == [it["at"] for it in api.events[saga_id]]
    assert page["next_cursor"] == "3.600"
    again = json.loads(run("events", saga_id, "--after", "3.598", "-o", "json").stdout)
    assert [it["resource"] for it in again["items"]] == ["d00299", "d00299"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.", "1,2", ""])
def test_what_is_no_cursor_is_refused_before_anybody_is_asked(api: FakeApi, run: Run, cursor: str) -> None:
    result = run("events", "s0000", f"--after={cursor}")
    assert result.exit_code == 2
    assert "a cursor is whole numbers, separated by dots" in result.stderr
    assert api.calls == []


def test_a_deadline_tells_where_to_go_on(api: FakeApi, run: Run) -> None:
    saga_id = api.submit_large(60)
    provision(api, saga_id, 60)
    result = run("events", saga_id, "--follow", "--timeout", "1s")
    assert result.exit_code == 5
    assert "--after 2.120 goes on with what comes then" in result.stderr


def test_watching_one_that_has_ended_does_not_tell_all_of_it_again(api: FakeApi, run: Run) -> None:
    saga_id = finished(api)
    result = run("watch", saga_id)
    assert result.exit_code == 0
    assert api.called(f"GET /sagas/{saga_id}/events") == 1
    assert result.stdout.splitlines() == [
        "saga s0000  fleet  COMMITTED",
        "2,500 resources: 2,500 READY",
        "saga s0000  COMMITTED",
        "2,500 resources: 2,500 READY",
        "All of it exists and is ready. `skysaga destroy s0000` removes it.",
    ]


def test_programs_are_told_every_event_from_the_first_and_all_resources_in_the_end(api: FakeApi, run: Run) -> None:
    saga_id = finished(api, 60)
    found = [json.loads(line) for line in run("watch", saga_id, "-o", "json").stdout.splitlines()]
    assert [it["schema"] for it in found] == ["skysaga.event.v1"] * len(api.events[saga_id]) + ["skysaga.saga.v1"]
    assert len(found[-1]["resources"]) == 60


def test_an_order_is_waited_for_from_where_the_saga_was(api: FakeApi, run: Run) -> None:
    saga_id = api.submit_large(60)
    provision(api, saga_id, 60)
    api.move(saga_id, None, "COMMITTED")
    api.sagas[saga_id]["resources"] = api.sagas[saga_id]["resources"][:2]
    for one, name in zip(api.sagas[saga_id]["resources"], ("data", "web"), strict=True):
        one["id"] = name
    result = run("destroy", saga_id, "--yes", "--wait", "-o", "json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert {it["resource"] for it in found[1:-1]} == {None, "data", "web"}
    assert (found[-1]["status"], len(found)) == ("RELEASED", 2 + 6)


def test_a_terminal_shows_counts_and_what_is_wrong_among_thousands(api: FakeApi, terminal: Open) -> None:
    saga_id = api.submit_large(MANY)
    screen = terminal("watch", saga_id)
    screen.until("2,500 resources: 2,500 PLANNED")
    provision(api, saga_id, 40, failing=1)
    screen.until("d00039")
    screen.until("39 READY")
    api.move(saga_id, None, "COMPENSATING")
    api.move(saga_id, None, "ROLLED_BACK")
    assert screen.ended() == 1
    last = screen.text.rpartition("2,500 resources: ")[0].rpartition("2,500 resources: ")[2]
    assert "because of d00039: Quota: none for 39" in screen.text
    assert len(last.splitlines()) < 24, "its end is shown in a screen"
    assert re.search(r"and 2,?4\d\d more: 2,?4\d\d PLANNED", screen.text)


def test_a_frame_of_ten_thousand_resources_is_drawn_quickly(api: FakeApi) -> None:
    saga_id = api.submit_large(10_000)
    table = LiveTable(Console(width=WIDTH, height=24, force_terminal=True, file=StringIO()))
    table.start(api.sagas[saga_id])
    began = time.process_time()
    for number in range(5):
        table.show(
            {"resource": f"d{number:05}", "status": "CREATING", "at": "2026-11-26T09:00:00.000Z", "message": None}
        )
        table._shown()
    spent = (time.process_time() - began) / 5
    table.finish(api.sagas[saga_id])
    assert spent < 1 / 8, "there are eight of them in a second"


def test_destroying_asks_with_some_names_and_the_number_of_the_others(api: FakeApi, terminal: Open) -> None:
    screen = terminal("destroy", finished(api, 200))
    screen.until("and 150 more? [y/N]:")
    screen.type(b"n\n")
    assert screen.ended() == 2


def test_the_plan_of_thousands_names_some_of_each_wave(api: FakeApi, run: Run) -> None:
    names = [f"d{number:05}" for number in range(MANY)]
    prices = [
        {"provider": "aws", "resource": it, "hourly": "1", "currency": "USD", "basis": "on demand"}
        for it in names[:900]
    ]
    short = {"provider": "aws", "resources": names, "location": "eu-west-1", "code": "Q", "message": "Q: none"}
    hourly = [{"currency": "USD", "amount": "900"}]
    rest: dict[str, Any] = {"unchecked": [], "unpriced": [], "prices": prices, "hourly": hourly}
    api.plan = {"name": "fleet", "order": [names[:10], names[10:]], "shortages": [short], **rest}
    text = run("plan", "request.yaml").stdout
    assert "fleet  2500 resources" in text
    assert text.count("and 2440 more") == 1
    assert "and 850 more: -o json has all of them" in text
    assert "and 2450 more: Q: none" in text
    assert len(text) < 10_000


def test_a_document_that_is_too_large_is_not_sent(api: FakeApi, run: Run, empty_folder: Any) -> None:
    (empty_folder / "large.json").write_text("{" + " " * (4 * 1024 * 1024))
    result = run("apply", "large.json")
    assert result.exit_code == 2
    assert "large.json has 4194305 bytes; at most 4194304 are accepted" in result.stderr
    assert api.calls == []
