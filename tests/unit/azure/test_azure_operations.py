"""Operations begun in one place and looked at in another."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import pytest

from lambdas.azure.operations import Failure, OneLook, Progress, handle_of, look_at
from lambdas.core.errors import RetryableError
from local.simulators.faults import FaultKind
from tests.unit.azure.simulated import GROUP, SimulatedAzure, disk_body


def begin(azure: SimulatedAzure) -> str:
    poller = azure.compute.disks.begin_create_or_update(GROUP, "data", disk_body(), polling=OneLook())
    return handle_of(poller)


def look(azure: SimulatedAzure, handle: str, endpoint: str | None = None) -> Progress | None:
    return look_at(azure.compute.disks.begin_create_or_update, GROUP, "data", handle, endpoint or azure.url)


def rewritten(handle: str, change: Any) -> str:
    token = json.loads(base64.b64decode(handle))
    change(token["data"])
    return base64.b64encode(json.dumps(token).encode()).decode()


def test_beginning_and_looking_start_no_thread_and_send_one_request_each(azure: SimulatedAzure) -> None:
    before = threading.enumerate()
    handle = begin(azure)
    look(azure, handle)
    started = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not [name for name in started if name.startswith("LROPoller")]
    assert [call.operation for call in azure.simulator.log] == ["Disks_CreateOrUpdate", "Operations_Get"]


def test_an_operation_is_under_way_until_it_is_done(azure: SimulatedAzure) -> None:
    handle = begin(azure)
    assert look(azure, handle) == Progress(done=False)
    azure.clock.advance(azure.simulator.settings.disk_create)
    assert look(azure, handle) == Progress(done=True)


def test_an_operation_that_failed_tells_azures_code_and_message(azure: SimulatedAzure) -> None:
    azure.arm("Disks_CreateOrUpdate", FaultKind.FAIL, delay=2)
    handle = begin(azure)
    assert look(azure, handle) == Progress(done=False)
    azure.clock.advance(2)
    expected = Failure("InternalExecutionError", "An internal execution error occurred. Please retry later.")
    assert look(azure, handle) == Progress(done=True, failure=expected)


def test_an_operation_that_azure_forgot_is_unknown(azure: SimulatedAzure) -> None:
    handle = begin(azure)
    url = f"{azure.url}/subscriptions/s/providers/p/locations/l/operations/none?api-version=1"
    forgotten = rewritten(handle, lambda data: data["response"]["headers"].update({"Azure-AsyncOperation": url}))
    assert look(azure, forgotten) is None


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.LOST])
def test_a_look_that_goes_wrong_is_retryable(azure: SimulatedAzure, fault: FaultKind) -> None:
    handle = begin(azure)
    azure.arm("Operations_Get", fault)
    with pytest.raises(RetryableError):
        look(azure, handle)


def test_a_handle_holds_nothing_of_the_resource(azure: SimulatedAzure) -> None:
    handle = begin(azure)
    data = json.loads(base64.b64decode(handle))["data"]
    assert data["response"]["content"] == ""
    assert data["context"] == {}
    assert "skysaga" not in json.dumps(data)


def test_no_token_is_sent_where_a_handle_leads_elsewhere(azure: SimulatedAzure) -> None:
    handle = begin(azure)
    elsewhere = [
        rewritten(handle, lambda data: data["request"].update(url="https://evil.example.com/x")),
        rewritten(
            handle, lambda data: data["response"]["headers"].update({"Azure-AsyncOperation": "http://127.0.0.1:1/"})
        ),
        rewritten(handle, lambda data: data["response"]["headers"].update({"LOCATION": "https://evil.example.com/x"})),
        rewritten(handle, lambda data: data.pop("request")),
        "not a handle",
        "bm90IGpzb24=",
    ]
    asked = len(azure.simulator.log)
    assert [look(azure, one) for one in elsewhere] == [None] * len(elsewhere)
    assert len(azure.simulator.log) == asked


def test_a_handle_is_good_for_its_own_endpoint_only(azure: SimulatedAzure) -> None:
    assert look(azure, begin(azure), endpoint="https://management.azure.com") is None
