"""The command when something is wrong: what it says, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from cli.__main__ import main
from local.http_server import serve
from tests.fakes.reports import cluster_settings

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
NOWHERE = "http://127.0.0.1:9"

Serving = Callable[[int, Any], str]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_REGION", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_DISABLED"):  # a worker sets them for its process
        monkeypatch.setenv(name, "")


@pytest.fixture(name="serving")
def _serving() -> Iterator[Serving]:
    """A server that answers everything with one document."""
    answer: list[tuple[int, Any]] = []

    @Request.application
    def app(_: Request) -> Response:
        status, document = answer[-1]
        return Response(json.dumps(document), status=status, content_type="application/json")

    with serve(app, name="stub") as server:

        def start(status: int, document: Any) -> str:
            answer.append((status, document))
            return server.url

        yield start


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, arguments)


def test_without_a_machine_in_this_folder_it_says_how_to_start_one() -> None:
    result = run("clusters")
    assert result.exit_code == 4
    assert "start it with `make up`, or give --endpoint" in result.output


def test_an_api_that_does_not_answer_is_another_exit_code_than_one_that_refuses(serving: Serving) -> None:
    problem = {"title": "You were not granted this", "status": 403, "detail": "ask for a grant", "errors": []}
    unreachable = run("drain", "berlin-1", "--endpoint", NOWHERE, **KEYS)
    refused = run("drain", "berlin-1", "--endpoint", serving(403, problem), **KEYS)
    assert (unreachable.exit_code, refused.exit_code) == (4, 2)
    assert f"the API at {NOWHERE} does not answer (ConnectionError)" in unreachable.output
    assert "403 You were not granted this\nask for a grant" in refused.output


def test_without_credentials_or_a_region_it_says_which_option_gives_them() -> None:
    nobody = run("clusters", "--endpoint", NOWHERE)
    nowhere = run("clusters", "--endpoint", NOWHERE, **{**KEYS, "AWS_DEFAULT_REGION": ""})
    assert (nobody.exit_code, nowhere.exit_code) == (2, 2)
    assert "give --profile" in nobody.output
    assert "give --region" in nowhere.output


def test_no_clusters_is_said_in_words(serving: Serving) -> None:
    result = run("clusters", "--endpoint", serving(200, {"items": []}), **KEYS)
    assert result.exit_code == 0
    assert "docs/clusters.md says how to declare one" in result.output


def test_a_worker_without_a_region_or_with_one_too_few_hands_is_bad_usage() -> None:
    nowhere = run("worker", "--cluster", "berlin-1")
    handless = run("worker", "--cluster", "berlin-1", "--concurrency", "0")
    assert (nowhere.exit_code, handless.exit_code) == (2, 2)
    assert "Give --region and --profile" in nowhere.output


def test_a_worker_of_a_cluster_that_is_not_declared_says_so(serving: Serving) -> None:
    nothing: dict[str, Any] = {"Parameters": [], "InvalidParameters": ["/skysaga/clusters/berlin-9"]}
    result = run("worker", "--cluster", "berlin-9", **KEYS, AWS_ENDPOINT_URL=serving(200, nothing))
    assert result.exit_code == 1
    assert "is berlin-9 the name of a cluster that is declared? (docs/clusters.md)" in " ".join(result.output.split())


def test_a_worker_that_cannot_reach_its_deployment_ends_as_unreachable() -> None:
    result = run("worker", "--cluster", "berlin-1", **KEYS, AWS_ENDPOINT_URL=NOWHERE, AWS_MAX_ATTEMPTS="1")
    assert result.exit_code == 4
    assert "the deployment cannot be reached" in result.output


def test_an_environment_that_cannot_be_used_is_bad_usage(serving: Serving) -> None:
    settings = cluster_settings("berlin-1").model_dump_json()
    declared = {"Parameters": [{"Name": "/skysaga/clusters/berlin-1", "Value": settings}], "InvalidParameters": []}
    environment = {**KEYS, "AWS_ENDPOINT_URL": serving(200, declared), "SKYSAGA_HIDDEN_SECONDS": "a while"}
    result = run("worker", "--cluster", "berlin-1", **environment)
    assert result.exit_code == 2
    assert "SKYSAGA_HIDDEN_SECONDS" in result.output
