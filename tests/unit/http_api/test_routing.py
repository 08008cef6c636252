"""Which route a request takes, and with which parameters."""

from __future__ import annotations

import pytest

from local.http_api.routing import match_route
from tests.unit.http_api.apis import api

SAGAS = api(
    "GET /sagas",
    "POST /sagas",
    "GET /sagas/{id}",
    "GET /sagas/latest",
    "ANY /sagas/{id}",
    "GET /sagas/{id}/events",
    "GET /files/{path+}",
    "GET /files/readme",
    "ANY /{proxy+}",
    "GET /",
)


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/sagas", "GET /sagas"),
        ("POST", "/sagas", "POST /sagas"),
        ("GET", "/sagas/7", "GET /sagas/{id}"),
        ("GET", "/sagas/latest", "GET /sagas/latest"),
        ("DELETE", "/sagas/latest", "ANY /sagas/{id}"),
        ("GET", "/sagas/7/events", "GET /sagas/{id}/events"),
        ("GET", "/files/a/b/c", "GET /files/{path+}"),
        ("GET", "/files/readme", "GET /files/readme"),
        ("PUT", "/sagas", "ANY /{proxy+}"),
        ("GET", "/", "GET /"),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str) -> None:
    match = match_route(SAGAS, method, path)
    assert match is not None
    assert match.route.key == key


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("/sagas/a%20b", {"id": "a b"}), ("/sagas/a%2Fb", {"id": "a/b"}), ("/files/a/%C3%BC", {"path": "a/ü"})],
)
def test_parameters_are_cut_from_the_path_as_sent_and_then_decoded(path: str, parameters: dict[str, str]) -> None:
    match = match_route(SAGAS, "GET", path)
    assert match is not None
    assert match.parameters == parameters


def test_default_takes_only_what_no_other_route_does() -> None:
    deployed = api("$default", "ANY /{proxy+}", "GET /exact")
    keys = [match.route.key for path in ("/", "/any/thing", "/exact") if (match := match_route(deployed, "GET", path))]
    assert keys == ["$default", "ANY /{proxy+}", "GET /exact"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/sagas/"), ("PATCH", "/sagas"), ("GET", "/sagasx")]
)
def test_what_matches_no_route_is_not_found(method: str, path: str) -> None:
    assert match_route(api("GET /sagas", "GET /sagas/{id}"), method, path) is None


def test_a_named_stage_is_the_first_part_of_the_path() -> None:
    deployed = api("GET /sagas", stages={"prod": {}})
    match = match_route(deployed, "GET", "/prod/sagas")
    assert match is not None
    assert match.stage == "prod"
    assert match_route(deployed, "GET", "/sagas") is None
