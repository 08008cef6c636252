"""The simulated Cost Management query and Blob Storage: what they refuse, and how they page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.azure import create_app
from local.simulators.azure.blobs import BlobStorage
from tests.unit.azure.costs.billed import NOW, SUBSCRIPTION, charge

BEARER = {"Authorization": "Bearer any"}


@pytest.fixture(name="query")
def _query() -> Iterator[Any]:
    """Ask for the costs of November; the status, and the answer's rows or its error's message."""
    clock = VirtualClock(NOW.timestamp())
    simulator = create_app(clock, clock.advance)
    simulator.bill.add([charge(amount="1"), charge(amount="2", region="northeurope")])
    with serve(simulator) as server:

        def query(headers: dict[str, str] = BEARER, last: str = "2026-11-30T23:59:59+00:00", **dataset: Any) -> Any:
            definition = {
                "timePeriod": {"from": "2026-11-01T00:00:00+00:00", "to": last},
                "dataset": {"aggregation": {"Cost": {"name": "Cost", "function": "Sum"}}, **dataset},
            }
            url = f"{server.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CostManagement/query?api-version=1"
            status, body = asked(url, headers, json.dumps(definition).encode())
            answer = json.loads(body)
            return status, answer["properties"]["rows"] if status == 200 else answer["error"]["message"]

        yield query


def asked(url: str, headers: dict[str, str], data: bytes | None = None) -> tuple[int, str]:
    """The status and the body of an answer."""
    try:
        with urlopen(Request(url, data, headers), timeout=5) as response:  # noqa: S310 -- a loopback address
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def by(*names: str) -> list[dict[str, str]]:
    """Some groupings."""
    return [{"type": "Dimension", "name": name} for name in names]


def test_costs_are_added_up_by_day_and_currency(query: Any) -> None:
    assert query() == (200, [[3, 20261124, "EUR"]])


def test_and_by_whatever_they_are_grouped_by(query: Any) -> None:
    read = query(grouping=by("ResourceLocation"), include=["Tags"])

    tags = ['"skysaga-resource":"web"', '"skysaga-saga":"s1"']
    assert read == (200, [[2, 20261124, "northeurope", tags, "EUR"], [1, 20261124, "westeurope", tags, "EUR"]])


def test_a_condition_selects(query: Any) -> None:
    condition = {"dimensions": {"name": "ResourceLocation", "operator": "In", "values": ["westeurope"]}}

    assert query(filter=condition) == (200, [[1, 20261124, "EUR"]])


def test_nobody_is_told_without_a_token(query: Any) -> None:
    assert query(headers={})[0] == 401


def test_a_grouping_that_there_is_not_is_refused_with_those_that_there_are(query: Any) -> None:
    status, message = query(grouping=by("Weather"))

    assert status == 400
    assert "Invalid dataset grouping: 'Weather'; valid values: 'ResourceId'" in message


def test_more_than_fifteen_groupings_are_refused(query: Any) -> None:
    assert query(grouping=by(*["Meter"] * 16))[0] == 400


def test_more_than_a_year_is_refused(query: Any) -> None:
    status, message = query(last="2027-11-30T23:59:59+00:00")

    assert status == 400
    assert "cannot exceed 1 year" in message


@pytest.fixture(name="get")
def _get() -> Iterator[Any]:
    """Get from a storage account with three blobs in the container `costs`."""
    clock = VirtualClock()
    storage = BlobStorage(clock, clock.advance, page_size=2)
    for name in ("a", "b & c", "d"):
        storage.put("costs", name, b"0123456789")
    with serve(storage) as server:
        yield lambda path, **headers: asked(
            f"{server.url}/{path}", {name.replace("_", "-"): it for name, it in headers.items()}
        )


def test_blobs_are_listed_page_by_page(get: Any) -> None:
    _, first = get("costs?restype=container&comp=list", **BEARER)
    _, second = get("costs?restype=container&comp=list&marker=d", **BEARER)

    assert "<Name>a</Name>" in first
    assert "<Name>b &amp; c</Name>" in first
    assert "<NextMarker>d</NextMarker>" in first
    assert "<Name>d</Name>" in second
    assert "<NextMarker></NextMarker>" in second


def test_a_blob_is_got_by_range(get: Any) -> None:
    assert get("costs/d", **BEARER) == (200, "0123456789")
    assert get("costs/d", x_ms_range="bytes=2-4", **BEARER) == (206, "234")
    assert get("costs/d", x_ms_range="bytes=8-99", **BEARER) == (206, "89")


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("costs/d", {"x_ms_range": "bytes=10-20"}, 416, "InvalidRange"),
        ("costs/d", {"If_Match": '"0x0"'}, 412, "ConditionNotMet"),
        ("costs/none", {}, 404, "BlobNotFound"),
        ("none/d", {}, 404, "ContainerNotFound"),
        ("costs", {}, 405, "UnsupportedHttpVerb"),
        ("costs/d", {"Authorization": ""}, 401, "NoAuthenticationInformation"),
    ],
)
def test_a_refusal_has_a_code(get: Any, path: str, headers: dict[str, str], status: int, code: str) -> None:
    answer = get(path, **{**BEARER, **headers})

    assert answer[0] == status
    assert f"<Code>{code}</Code>" in answer[1]
