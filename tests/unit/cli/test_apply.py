"""`skysaga apply`, `plan` and `watch` without a terminal: what is sent, what is shown, and how they end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from cli import apply as command
from cli import following
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import REQUEST, FakeApi


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(following, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(following, "_IDLE_PAUSE", 0.01)


def documents(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_saga_that_commits_is_followed_line_by_line_and_ends_with_0(run: Run) -> None:
    result = run("apply", "request.yaml")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("saga s0000  checkout")
    assert [line.split()[1:3] for line in lines[1:3]] == [["saga", "PENDING"], ["saga", "PROVISIONING"]]
    assert any("create: 503 from Google; it is tried again" in line for line in lines)
    assert "saga s0000  COMMITTED" in lines


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        ("ROLLED_BACK", 1, "because of web: InsufficientInstanceCapacity: there are none left"),
        ("NEEDS_ATTENTION", 3, "Mend what its error names, then: skysaga resume s0000"),
    ],
)
def test_how_a_saga_ends_is_the_exit_code(api: FakeApi, run: Run, outcome: str, code: int, said: str) -> None:
    api.outcome = outcome
    result = run("apply", "request.yaml")
    assert result.exit_code == code
    assert said in result.stdout


def test_programs_get_a_document_for_each_event_and_in_the_end_the_saga(run: Run) -> None:
    found = documents(run("apply", "request.yaml", "-o", "json").stdout)
    kinds = [it["schema"] for it in found]
    assert kinds == ["skysaga.accepted.v1", *["skysaga.event.v1"] * (len(found) - 2), "skysaga.saga.v1"]
    assert [it["seq"] for it in found[1:-1]] == list(range(1, len(found) - 1))
    assert found[-1]["status"] == "COMMITTED"


def test_no_wait_ends_once_it_is_accepted(api: FakeApi, run: Run) -> None:
    api.outcome = ""
    result = run("apply", "request.yaml", "--no-wait")
    assert (result.exit_code, result.stdout) == (0, "s0000 accepted; `skysaga watch s0000` follows it\n")


@pytest.mark.parametrize("trouble", ["lost", "refused", 503, 429])
def test_a_submission_whose_answer_is_lost_is_repeated_with_its_key_and_makes_one_saga(
    api: FakeApi, run: Run, trouble: str | int
) -> None:
    api.trouble(trouble, "POST", "/sagas")
    result = run("apply", "request.yaml")
    assert result.exit_code == 0, result.output
    assert len(api.sagas) == 1
    assert len(set(api.keys)) == 1
    assert "trying again with the same key" in result.stderr


def test_a_submission_that_never_gets_an_answer_says_with_which_key_to_go_on(api: FakeApi, run: Run) -> None:
    api.trouble("lost", "POST", "/sagas", times=3)
    result = run("apply", "request.yaml")
    assert result.exit_code == 4
    assert f"--key {api.keys[0]}" in result.stderr
    assert len(api.sagas) == 1
    assert run("apply", "request.yaml", "--key", api.keys[0]).exit_code == 0
    assert len(api.sagas) == 1


def test_a_key_is_not_for_another_request(api: FakeApi, run: Run, empty_folder: Path) -> None:
    assert run("apply", "request.yaml", "--key", "mine").exit_code == 0
    (empty_folder / "other.yaml").write_text(REQUEST.replace("t3.micro", "t3.small"))
    result = run("apply", "other.yaml", "--key", "mine")
    assert result.exit_code == 1
    assert "409" in result.stderr
    assert api.keys == ["mine", "mine"]


def test_a_request_comes_from_stdin_as_yaml_or_json(api: FakeApi, run: Run) -> None:
    assert run("apply", "-", "--no-wait", stdin=REQUEST).exit_code == 0
    assert run("apply", "-", "--no-wait", stdin='{"name": "checkout"}').exit_code == 0
    assert [body[:6] for _, body in api.bodies.values()] == [b"name: ", b'{"name']


def test_what_is_wrong_with_a_file_is_said_before_anything_is_sent(api: FakeApi, run: Run, empty_folder: Path) -> None:
    (empty_folder / "broken.yaml").write_text("name: [checkout\nlabels: {}")
    (empty_folder / "empty.yaml").write_text("\n")
    missing, broken, empty = run("apply", "none.yaml"), run("plan", "broken.yaml"), run("apply", "empty.yaml")
    assert [it.exit_code for it in (missing, broken, empty)] == [2, 2, 2]
    assert "none.yaml cannot be read: No such file or directory. Give the file that holds the request" in missing.stderr
    assert "broken.yaml is not YAML:" in broken.stderr
    assert "at line 2 column" in broken.stderr
    assert "empty.yaml is empty" in empty.stderr
    assert api.calls == []


def test_every_field_that_the_api_refuses_is_named(run: Run) -> None:
    result = run("apply", "-", stdin="colour: blue")
    assert result.exit_code == 2
    assert "colour: unknown field\nresources[0].region: no such region" in result.stderr
    assert "Change what is named, and repeat the command." in result.stderr
    assert result.stdout == ""


def test_a_deadline_ends_the_command_and_not_the_saga(api: FakeApi, run: Run) -> None:
    api.outcome = ""
    result = run("apply", "request.yaml", "--timeout", "1s")
    assert result.exit_code == 5
    assert "the saga goes on. `skysaga watch s0000` follows it." in result.stderr
    assert api.sagas["s0000"]["status"] == "PENDING"
    assert api.called("POST .*/cancel") == 0


@pytest.mark.parametrize("text", ["soon", "5", "10x", "1h 30m", "0s", "-5s"])
def test_a_duration_that_is_none_is_bad_usage(run: Run, text: str) -> None:
    result = run("watch", "s0000", f"--timeout={text}")
    assert result.exit_code == 2
    assert "write it as 45s, 10m or 1h30m" in result.stderr


@pytest.mark.parametrize("trouble", ["refused", "lost", 503, 500])
def test_a_connection_that_breaks_is_taken_up_again_and_no_event_is_lost_or_shown_twice(
    api: FakeApi, run: Run, trouble: str | int
) -> None:
    saga_id = api.submit()
    api.trouble(trouble, path=".*/events", times=2)

    def go_on() -> None:
        api.trouble(trouble, path=".*/events")
        api.run(saga_id)

    going = threading.Timer(0.2, go_on)
    going.start()
    result = run("watch", saga_id, "-o", "json")
    going.join()
    assert result.exit_code == 0, result.output
    assert [it["seq"] for it in documents(result.stdout)[:-1]] == list(range(1, api.sagas[saga_id]["version"] + 1))
    assert "the connection broke" in result.stderr


def test_an_api_that_stays_away_ends_as_unreachable_and_says_how_to_go_on(
    api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_SECONDS", 0.05)
    saga_id = api.submit()
    api.trouble("refused", path=".*/events", times=1000)
    result = run("watch", saga_id)
    assert result.exit_code == 4
    assert f"`skysaga watch {saga_id}` takes it up again" in result.stderr


@pytest.mark.parametrize(
    ("outcome", "code"), [("COMMITTED", 0), ("ROLLED_BACK", 1), ("NEEDS_ATTENTION", 3), ("RELEASED", 0)]
)
def test_watching_what_has_ended_tells_its_story_and_ends_at_once(
    api: FakeApi, run: Run, outcome: str, code: int
) -> None:
    saga_id = api.submit()
    api.run(saga_id, outcome if outcome != "RELEASED" else "COMMITTED")
    if outcome == "RELEASED":
        api.undo(saga_id, "RELEASED")
    result = run("watch", saga_id)
    assert result.exit_code == code
    assert result.stdout.count("PROVISIONING") == 1
    assert f"saga {saga_id}  {outcome}" in result.stdout


def test_watching_goes_past_an_ending_that_is_over(api: FakeApi, run: Run) -> None:
    saga_id = api.submit()
    api.run(saga_id)
    api.move(saga_id, None, "RELEASING")
    going = threading.Timer(0.2, lambda: api.undo(saga_id, "RELEASED"))
    going.start()
    result = run("watch", saga_id)
    going.join()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == [f"saga {saga_id}  RELEASED", "Nothing of it exists any more."]


NO_PRICES: dict[str, Any] = {"prices": [], "unpriced": [], "hourly": []}
PLAN: dict[str, Any] = {"name": "checkout", "order": [["data"], ["web"]], "shortages": [], "unchecked": [], **NO_PRICES}
SHORTAGE = {
    "provider": "aws",
    "resources": ["web"],
    "location": "eu-west-1",
    "code": "QuotaExceeded",
    "message": "QuotaExceeded: vCPUs in eu-west-1: 2 needed, 1 left of 32",
    "needed": 2.0,
    "available": 1.0,
}


def test_a_plan_shows_its_waves_and_that_there_is_room(api: FakeApi, run: Run) -> None:
    api.plan = PLAN
    result = run("plan", "request.yaml")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[2:4]] == [["1", "data"], ["2", "web"]]
    assert "every cloud has room for it now" in result.stdout
    assert api.sagas == {}


def test_a_plan_that_would_fail_says_of_what_there_is_too_little_and_ends_with_1(api: FakeApi, run: Run) -> None:
    api.plan = {**PLAN, "shortages": [SHORTAGE], "unchecked": [{"provider": "gcp", "reason": "it did not answer"}]}
    result = run("plan", "request.yaml")
    assert result.exit_code == 1
    assert "short: aws eu-west-1 for web: QuotaExceeded: vCPUs in eu-west-1: 2 needed, 1 left of 32" in result.stdout
    assert "not checked: gcp: it did not answer" in result.stdout
    assert "has room" not in result.stdout


def test_prices_are_shown_with_their_basis_and_what_is_not_known_is_said(api: FakeApi, run: Run) -> None:
    price = {"provider": "aws", "resource": "web", "hourly": "0.0104", "currency": "USD", "basis": "on demand"}
    prices = {
        "prices": [price],
        "unpriced": [{"provider": "gcp", "reason": "it did not answer"}],
        "hourly": [{"currency": "USD", "amount": "0.0104"}],
    }
    api.plan = {**PLAN, **prices}
    result = run("plan", "request.yaml")
    assert "web       0.0104    USD       on demand" in result.stdout
    assert "per hour in all: 0.0104 USD, and what data costs, which is not known" in result.stdout
    assert "no prices of gcp: it did not answer" in result.stdout
    assert json.loads(run("plan", "request.yaml", "-o", "json").stdout)["prices"] == [price]


def test_without_any_price_nothing_is_said_to_be_free(api: FakeApi, run: Run) -> None:
    api.plan = PLAN
    assert "per hour in all: not known" in run("plan", "request.yaml").stdout
