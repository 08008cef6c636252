"""One-time schedules on EventBridge Scheduler, as its API takes and refuses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from lambdas.adapters.expiry import SchedulerExpiry
from lambdas.adapters.settings import ExpirySettings
from lambdas.core.errors import RetryableError, TerminalError
from tests.fakes.clock import FakeClock

ALIAS = "arn:aws:states:us-east-1:123456789012:stateMachine:skysaga-release:live"
SETTINGS = ExpirySettings(
    EXPIRY_SCHEDULE_GROUP="skysaga-expiry",
    EXPIRY_ROLE="arn:aws:iam::123456789012:role/expiry",
    RELEASE_STATE_MACHINE=ALIAS,
)


@pytest.fixture(name="client")
def _client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        client = boto3.client("scheduler", region_name="us-east-1")
        client.create_schedule_group(Name="skysaga-expiry")
        yield client


def kept(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get_schedule(Name="s1", GroupName="skysaga-expiry")
    return found


def test_it_fires_once_at_the_moment_and_is_gone_afterwards(client: Any) -> None:
    clock = FakeClock()
    moment = clock.now() + timedelta(hours=8)
    SchedulerExpiry(client, SETTINGS, clock).schedule("s1", moment)
    schedule = kept(client)
    assert schedule["ScheduleExpression"] == f"at({moment:%Y-%m-%dT%H:%M:%S})"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_it_starts_the_release_machine_with_the_saga_and_the_reason(client: Any) -> None:
    clock = FakeClock()
    SchedulerExpiry(client, SETTINGS, clock).schedule("s1", clock.now() + timedelta(hours=8))
    target = kept(client)["Target"]
    assert (target["Arn"], target["RoleArn"]) == (ALIAS, SETTINGS.role)
    assert json.loads(target["Input"]) == {"saga_id": "s1", "reason": "EXPIRE"}


def test_asking_again_changes_nothing(client: Any) -> None:
    clock = FakeClock()
    expiry = SchedulerExpiry(client, SETTINGS, clock)
    expiry.schedule("s1", clock.now() + timedelta(hours=8))
    before = kept(client)["ScheduleExpression"]
    expiry.schedule("s1", clock.now() + timedelta(hours=9))
    assert kept(client)["ScheduleExpression"] == before


def test_a_moment_that_has_passed_comes_soon(client: Any) -> None:
    clock = FakeClock()
    SchedulerExpiry(client, SETTINGS, clock).schedule("s1", clock.now() - timedelta(hours=1))
    at = datetime.strptime(kept(client)["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
    assert timedelta(0) < at - clock.now() <= timedelta(seconds=60)


class Refusing:
    """A client that raises what it is given."""

    class exceptions:  # noqa: N801 -- boto3's own name
        ConflictException = KeyError

    def __init__(self, error: Exception) -> None:
        self._error = error

    def create_schedule(self, **_: Any) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "m"}}, "CreateSchedule"), RetryableError),
        (ClientError({"Error": {"Code": "InternalServerException", "Message": "m"}}, "CreateSchedule"), RetryableError),
        (EndpointConnectionError(endpoint_url="https://scheduler"), RetryableError),
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "m"}}, "CreateSchedule"), TerminalError),
        (ClientError({"Error": {"Code": "ValidationException", "Message": "m"}}, "CreateSchedule"), TerminalError),
    ],
)
def test_refusals_are_told_apart(error: Exception, expected: type[Exception]) -> None:
    clock = FakeClock()
    with pytest.raises(expected):
        SchedulerExpiry(Refusing(error), SETTINGS, clock).schedule("s1", clock.now())
