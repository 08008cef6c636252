"""`skysaga costs`: what it asks for, what it shows at 80 columns, and what it writes into files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console
from werkzeug.wrappers import Request, Response

from cli import costs as command
from cli.__main__ import main
from cli.cost_chart import bar_of, charts, money
from cli.cost_freshness import freshness_lines, headline
from local.http_server import serve

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def item(billed: str | None, currency: str = "USD", **keys: str | None) -> dict[str, Any]:
    amounts = {"billed": billed, "effective": billed, "list": None, "contracted": billed}
    return {"keys": {name.replace("__", ":"): value for name, value in keys.items()}, "currency": currency, **amounts}


def source(name: str = "payments", **changes: Any) -> dict[str, Any]:
    return {
        "source": name,
        "kind": "aws-cost-explorer",
        "provider": "aws",
        "account": "123456789012",
        "collected_at": "2026-11-26T11:15:00.000Z",
        "data_through": "2026-11-26T08:00:00.000Z",
        "closed_through": "2026-11-01T00:00:00.000Z",
        "windows_behind": 0,
        "windows_open": 600,
        "late": False,
        "failure": None,
        **changes,
    }


LATE = source("azure-prod", late=True, windows_behind=9, collected_at="2026-11-24T11:15:00.000Z")


def page(items: list[dict[str, Any]], *sources: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    groups = list(items[0]["keys"]) if items else ["saga"]
    days = {"from": "2026-11-01", "to": "2026-11-26"}
    fresh = list(sources or (source(),))
    asked = {"version": 1, "costs": "all", "group_by": groups, **days}
    return {**asked, "items": items, "next_cursor": cursor, "freshness": fresh}


class Api:
    """Answers with each document once, the last one for good; remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.asked.append(Request(environ).args.to_dict())
        status, document = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Response(json.dumps(document), status, content_type="application/json")(environ, start_response)

    def run(self, *arguments: str, **environment: str) -> Result:
        return CliRunner(env={**KEYS, **environment}).invoke(main, ["costs", "--endpoint", self.url, *arguments])


@pytest.fixture(name="api")
def _api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(command, "_RETRY_SECONDS", 0)
    api = Api()
    with serve(api, name="stub") as server:
        api.url = server.url
        yield api


def drawn(items: list[dict[str, Any]], width: int = 80) -> list[str]:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    for table in charts(list(items[0]["keys"]), items, width):
        console.print(table)
    file: Any = console.file
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_what_is_asked_reaches_the_api(api: Api) -> None:
    api.answers = [(200, page([item("1", saga="s1")]))]
    options = [
        "--by",
        "saga,label:team",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-27",
        "--label",
        "team=a b",
        "--provider",
        "aws",
        "--in-region",
        "eu-west-1",
        "--region",
        "us-east-1",
    ]
    assert api.run(*options).exit_code == 0
    assert api.asked == [
        {
            "group_by": "saga,label:team",
            "from": "2026-11-01",
            "to": "2026-11-27",
            "label": "team=a b",
            "provider": "aws",
            "region": "eu-west-1",
            "limit": "1000",
        }
    ]


def test_every_page_is_fetched_and_an_answer_that_takes_long_is_waited_for(api: Api) -> None:
    busy = {"title": "Try again in a moment", "status": 503, "errors": []}
    api.answers = [
        (503, busy),
        (200, page([item("1", saga="s1")], cursor="next")),
        (503, busy),
        (200, page([item("2", saga="s2")])),
    ]
    document = json.loads(api.run("-o", "json").stdout)
    assert [it["keys"]["saga"] for it in document["items"]] == ["s1", "s2"]
    assert (document["version"], document["next_cursor"]) == (1, None)
    assert [it.get("cursor") for it in api.asked] == [None, None, "next", "next"]


def test_a_chart_has_every_currency_on_a_scale_of_its_own_and_adds_none_to_another() -> None:
    items = [
        item("100", "EUR", saga="s0mfq2zk41aaaaaa"),
        item("4", saga="s0mfq2zk41aaaaaa"),
        item("8", saga=None),
        item("-2", saga="s0credit00000000"),
    ]
    assert drawn(items) == [
        "SAGA                 EUR                          USD",
        "(no saga)                                        8.00  ████████████████████",
        "s0mfq2zk41aaaaaa  100.00  ████████████████████   4.00  ██████████",
        "s0credit00000000                                -2.00  ░░░░░",
        "in all            100.00                        10.00",
    ]


def test_more_currencies_than_a_line_has_room_for_come_below() -> None:
    items = [item("1", currency, service="Amazon Elastic Compute Cloud") for currency in ("EUR", "GBP", "JPY", "USD")]
    lines = drawn(items)
    assert [line.split()[1:] for line in lines if line.startswith("SERVICE")] == [["EUR", "GBP"], ["JPY", "USD"]]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_chart_stays_within_the_terminal(width: int) -> None:
    items = [item("123456789.01", currency, service="S" * 200, day="2026-11-26") for currency in ("EUR", "USD")]
    assert max(map(len, drawn(items, width))) <= width


def test_days_are_in_order_and_everything_else_by_what_it_costs() -> None:
    items = [item(cost, day=day) for day, cost in (("2026-11-02", "9"), ("2026-11-01", "1"))]
    assert [line.split()[0] for line in drawn(items)[1:3]] == ["2026-11-01", "2026-11-02"]
    items = [item(cost, service=name) for name, cost in (("a", "1"), ("b", "9"))]
    assert [line.split()[0] for line in drawn(items)[1:3]] == ["b", "a"]


def test_what_is_almost_nothing_is_not_shown_as_nothing() -> None:
    assert (money(Decimal("0.000001")), money(Decimal("-0.001")), money(Decimal(0))) == ("<0.01", ">-0.01", "0.00")
    assert (bar_of(0.001, 8), bar_of(0.0, 8), bar_of(0.5, 1), bar_of(1.0, 4)) == ("▏", "", "▌", "████")


def test_a_late_source_is_said_before_the_costs_and_after_them(api: Api) -> None:
    failure = {"at": "2026-11-26T11:00:00.000Z", "error": "TerminalError", "message": "403: no access\x1b[2J"}
    api.answers = [(200, page([item("1", saga="s1")], source(), {**LATE, "failure": failure}))]
    lines = api.run().output.splitlines()
    assert lines[0] == "!! INCOMPLETE: 1 of 2 sources is late (azure-prod). Real costs are probably higher."
    [late] = [line for line in lines if line.startswith("!! LATE")]
    assert late.startswith("!! LATE azure-prod (aws 123456789012): 9 hours missing; data through 2026-11-26 08:00 UTC")
    assert lines.index(late) < next(number for number, line in enumerate(lines) if line.startswith("   payments"))
    assert "failed at 2026-11-26 11:00 UTC: TerminalError: 403: no access?[2J" in "\n".join(lines)


def test_it_is_said_of_which_days_costs_are(api: Api) -> None:
    api.answers = [(200, page([item("1", saga="s1")], source()))]
    assert "Charges of 2026-11-01 to 2026-11-26 (UTC), as far as they are known:" in api.run().output.splitlines()


def test_a_line_that_is_too_long_goes_on_further_right(api: Api) -> None:
    api.answers = [(200, page([item("1", saga="s1")], source("a" * 40)))]
    *_, first, second = api.run().output.splitlines()
    assert first.startswith("   aaaa")
    assert second.startswith("      ")


def test_nothing_is_said_to_be_late_that_is_not() -> None:
    assert list(headline([source()])) == []
    [line] = freshness_lines([source()], NOW)
    assert line.plain == (
        "   payments (aws 123456789012): data through 2026-11-26 08:00 UTC, collected 45 min ago,"
        " final before 2026-11-01 00:00 UTC"
    )


def test_for_programs_there_is_json_and_yaml_and_the_warning_goes_elsewhere(api: Api) -> None:
    api.answers = [(200, page([item("1.50000000000000000001", saga="s1")], LATE))]
    as_json, as_yaml = api.run("-o", "json"), api.run("-o", "yaml")
    assert json.loads(as_json.stdout) == yaml.safe_load(as_yaml.stdout)
    assert json.loads(as_json.stdout)["items"][0]["billed"] == "1.50000000000000000001"
    assert "INCOMPLETE" in as_json.stderr


def test_colours_are_left_out_where_nobody_wants_them(api: Api) -> None:
    api.answers = [(200, page([item("1", saga="s1")], LATE))]
    assert "\x1b[31m" not in api.run(NO_COLOR="1", FORCE_COLOR="1").output
    assert "\x1b" in api.run(FORCE_COLOR="1").output


def exported(api: Api, path: Path) -> Path:
    items = [
        item("123456789012345678.00000000000000000001", saga="s1", label__team='é,"x'),
        item(None, "EUR", saga=None, label__team=None),
    ]
    api.answers = [(200, page(items))]
    result = api.run("--export", str(path))
    assert result.exit_code == 0, result.output
    assert [it.name for it in path.parent.iterdir()] == [path.name]
    return path


def test_a_csv_has_exact_amounts(api: Api, tmp_path: Path) -> None:
    with exported(api, tmp_path / "costs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["billed"] == "123456789012345678.00000000000000000001"
    assert (rows[0]["label:team"], rows[1]["saga"], rows[1]["billed"]) == ('é,"x', "", "")


def test_a_parquet_file_has_decimals(api: Api, tmp_path: Path) -> None:
    path = exported(api, tmp_path / "it's.parquet")
    found = duckdb.read_parquet(str(path))
    assert found.fetchall()[0] == (
        "s1",
        'é,"x',
        "USD",
        *[Decimal("123456789012345678.00000000000000000001")] * 2,
        None,
        Decimal("123456789012345678.00000000000000000001"),
    )
    assert [str(kind) for kind in found.types] == ["VARCHAR"] * 3 + ["DECIMAL(38,20)"] * 4


def test_a_json_file_is_the_document(api: Api, tmp_path: Path) -> None:
    document = json.loads(exported(api, tmp_path / "costs.json").read_text())
    assert (document["version"], len(document["items"]), document["freshness"]) == (1, 2, [source()])


def test_a_file_that_cannot_be_written_or_of_no_known_kind_is_said_so(api: Api, tmp_path: Path) -> None:
    api.answers = [(200, page([]))]
    assert "its name must end in .csv, .json, .parquet" in api.run("--export", "costs.xlsx").output
    nowhere = api.run("--export", str(tmp_path / "none" / "costs.csv"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (1, True)


def test_nothing_is_said_in_words(api: Api) -> None:
    api.answers = [(200, page([]))]
    assert "Nothing of this is known to cost anything." in api.run().output


def test_whoever_sees_only_their_own_is_told_so(api: Api) -> None:
    api.answers = [(200, {**page([]), "costs": "own"})]
    assert "Only of your own sagas" in api.run().output
    api.answers = [(200, page([]))]
    assert "Only of your own sagas" not in api.run().output
