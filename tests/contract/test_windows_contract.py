"""The windows table remembers the same, and refuses the same, in memory as in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from lambdas.adapters.windows import DynamoWindows
from lambdas.core.billing.spans import HOUR, Span
from lambdas.core.billing.windows import Contents, SourceState, Window, WindowStatus
from lambdas.core.errors import Overtaken, RetryableError
from lambdas.core.ports.costs import Windows
from tests.fakes.billing import SINCE
from tests.fakes.windows import FakeWindows

TABLE = "skysaga-windows"
SOURCE = "gcp-main"


def create_table(client: Any) -> None:
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": it, "AttributeType": "S"} for it in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


@pytest.fixture(params=["memory", "dynamodb"])
def windows(request: pytest.FixtureRequest) -> Iterator[Windows]:
    if request.param == "memory":
        yield FakeWindows()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        yield DynamoWindows(client, TABLE, pause=lambda seconds: None)


def window(hour: int = 0, **update: Any) -> Window:
    return Window(source=SOURCE, start=SINCE + hour * HOUR, **update)


def begun(state: SourceState | None) -> SourceState:
    return state or SourceState(source=SOURCE, since=SINCE, closed_through=SINCE)


def test_a_source_that_was_never_read_is_unknown(windows: Windows) -> None:
    assert windows.state(SOURCE) is None
    assert windows.states() == []


def test_what_was_changed_is_what_is_known(windows: Windows) -> None:
    first = windows.change_state(SOURCE, begun)
    second = windows.change_state(SOURCE, lambda it: begun(it).model_copy(update={"reads": 2}))
    assert (first.version, second.version, second.reads) == (1, 2, 2)
    assert windows.state(SOURCE) == second
    assert windows.states() == [second]


def test_a_change_to_the_same_writes_nothing(windows: Windows) -> None:
    first = windows.change_state(SOURCE, begun)
    assert windows.change_state(SOURCE, begun) == first


def test_windows_come_in_order_and_only_those_of_the_span_and_source(windows: Windows) -> None:
    for hour in (30, 2, 0, 1):
        windows.put(window(hour))
    windows.put(Window(source="another", start=SINCE + HOUR))
    found = windows.windows(SOURCE, Span(SINCE + HOUR, SINCE + 30 * HOUR))
    assert [it.start for it in found] == [SINCE + HOUR, SINCE + 2 * HOUR]
    assert windows.windows(SOURCE, Span(SINCE, SINCE)) == []


def test_a_window_is_kept_to_the_last_digit(windows: Windows) -> None:
    billed = {"USD": Decimal("123456789012345678.12345678901234567890")}
    kept = windows.put(window(contents=Contents(rows=1, digest="d", billed=billed), status=WindowStatus.COLLECTED))
    assert windows.windows(SOURCE, Span(SINCE, SINCE + HOUR)) == [kept]
    assert kept.contents.billed == billed


def test_a_window_that_somebody_else_has_written_is_not_replaced(windows: Windows) -> None:
    first = windows.put(window())
    windows.put(first.model_copy(update={"restated": 1}))
    with pytest.raises(Overtaken):
        windows.put(first.model_copy(update={"restated": 2}))
    with pytest.raises(Overtaken):
        windows.put(window())


def test_what_many_change_at_once_is_changed_by_each() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        windows = DynamoWindows(client, TABLE)
        windows.change_state(SOURCE, begun)
        change: Callable[[SourceState | None], SourceState] = lambda it: begun(it).model_copy(  # noqa: E731
            update={"reads": begun(it).reads + 1}
        )
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: windows.change_state(SOURCE, change), range(4)))
        state = windows.state(SOURCE)
    assert state is not None
    assert state.reads == 4


def test_a_table_that_refuses_for_now_is_asked_again() -> None:
    client = boto3.client("dynamodb", region_name="us-east-1")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_item", "ProvisionedThroughputExceededException")
        with pytest.raises(RetryableError):
            DynamoWindows(client, TABLE).state(SOURCE)
