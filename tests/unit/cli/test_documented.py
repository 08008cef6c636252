"""What docs/command.md says is so: each verb, each option, each exit code, and the shape of each document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import click
import pytest

from cli import api as operations
from cli import failures
from cli.__main__ import main
from tests.unit.cli.conftest import Run
from tests.unit.cli.documented import PAGE, departures, examples, shape
from tests.unit.cli.fake_api import FakeApi

TEXT = PAGE.read_text()
SECTIONS = dict(re.findall(r"^### `skysaga (\w+)[^\n]*\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
FOR_ALL = {"--endpoint", "--profile", "--region", "--output", "-o", "--help", "-h"}


LESS = frozenset({"skysaga.sagas.v1"})
"""Of many sagas, not all of which have everything."""


def commands() -> dict[str, click.Command]:
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_every_verb_is_documented_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(commands())


@pytest.mark.parametrize("verb", sorted(commands()))
def test_every_option_of_a_verb_is_documented_and_no_other(verb: str) -> None:
    options = {name for param in commands()[verb].params for name in (*param.opts, *param.secondary_opts)}
    options = {name for name in options if name.startswith("--")} - FOR_ALL
    named = set(re.findall(r"`(--[a-z-]+)", SECTIONS[verb])) - FOR_ALL
    assert named == options


def test_what_goes_for_all_verbs_is_documented() -> None:
    assert [name for name in FOR_ALL - {"--help", "-h"} if f"`{name}`" not in TEXT] == []
    for name in ("SKYSAGA_ENDPOINT", "SKYSAGA_TOKEN", "NO_COLOR", "AWS_PROFILE", "HTTPS_PROXY"):
        assert f"`{name}`" in TEXT


def test_every_exit_code_is_documented() -> None:
    codes = {value for name, value in vars(failures).items() if name.isupper() and isinstance(value, int)}
    assert {int(it) for it in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)} == codes


def whole_saga(api: FakeApi) -> str:
    """One that has everything a saga can have."""
    example: dict[str, Any] = dict(examples()["skysaga.saga.v1"])
    extra = ("approval", "expires_at", "cost", "cost_freshness")
    saga_id = api.submit(**{name: example[name] for name in extra})
    api.run(saga_id, "NEEDS_ATTENTION")
    api.sagas[saga_id]["resources"][0] |= {"cluster": "vc-1", "depends_on": ["base"], "gone_at": "2026-11-26T09:00:00Z"}
    return saga_id


def without_schema(schema: str) -> dict[str, Any]:
    return {name: value for name, value in examples()[schema].items() if name != "schema"}


def test_every_document_has_the_fields_that_are_promised_and_no_others(api: FakeApi, run: Run) -> None:
    saga_id = whole_saga(api)
    api.plan = without_schema("skysaga.plan.v1")
    api.clusters = without_schema("skysaga.clusters.v1")["items"]
    api.costs = without_schema("skysaga.costs.v1")
    api.sweeps = [without_schema("skysaga.sweep.v1")]
    documents: dict[str, dict[str, Any]] = {}
    for line in (
        "plan request.yaml",
        "apply request.yaml --no-wait",
        f"get {saga_id}",
        "list",
        f"events {saga_id}",
        "clusters",
        "drain berlin-1",
        "costs",
        "sweep",
        "doctor",
    ):
        document = json.loads(run(*line.split(), "-o", "json").stdout)
        documents[document["schema"]] = document
    streamed = [json.loads(it) for it in run("watch", saga_id, "-o", "json").stdout.splitlines()]
    documents["skysaga.event.v1"] = next(it for it in streamed if it["error"])
    assert sorted(documents) == sorted(examples())
    wrong = {kind: departures(it, whole=kind not in LESS) for kind, it in documents.items()}
    assert {kind: them for kind, them in wrong.items() if them} == {}


ANSWERS = {
    "plan": operations.Plan,
    "accepted": operations.Accepted,
    "event": operations.SagaEvent,
    "events": operations.EventPage,
    "saga": operations.Saga,
    "sweep": operations.Sweep,
    "clusters": operations.ClusterList,
    "cluster": operations.Cluster,
    "costs": operations.CostPage,
}


def fields(kind: Any, path: str = "") -> Iterator[str]:
    """The path of every field that the API's own description has of a document."""
    if is_typeddict(kind):
        for name, inner in get_type_hints(kind, vars(operations)).items():
            yield f"{path}.{name}"
            yield from fields(inner, f"{path}.{name}")
    elif get_origin(kind) is list:
        yield f"{path}[]"
        yield from fields(get_args(kind)[0], f"{path}[]")
    elif get_origin(kind) is not dict:
        for inner in get_args(kind):
            yield from fields(inner, path)


@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_the_fields_that_are_promised_are_those_of_the_api(kind: str) -> None:
    promised = set(everything(examples()[f"skysaga.{kind}.v1"])) - {"", ".schema"}
    assert promised == set(fields(ANSWERS[kind]))


def everything(example: Any) -> Iterator[str]:
    yield from shape(example)
    yield from (f".{name}" for name, value in example.items() if value is None)


def test_a_field_that_is_gone_or_of_another_kind_is_noticed() -> None:
    event = dict(examples()["skysaga.event.v1"])
    assert departures({**event, "seq": "4"}, whole=True) == [".seq is a str"]
    assert departures({**event, "more": 1}, whole=True) == [".more is a number"]
    del event["step"]
    assert departures(event, whole=False) == [".step is missing"]
    assert departures(event, whole=True) == [".step is missing"]
