"""Where a simulator steps in."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from local.aws.ec2.hooks import Ec2Fault
from local.http_server import DropConnection
from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.test_ec2_instances import LAUNCH, refused


def throttle(_operation: str) -> None:
    raise Ec2Fault("RequestLimitExceeded", "Request limit exceeded.", status=503)


def lose_the_reply(operation: str) -> None:
    if operation == "RunInstances":
        raise DropConnection


def instances(ec2: Any, account: Account) -> int:
    account.clock.advance(1)
    return sum(len(r["Instances"]) for r in ec2.describe_instances()["Reservations"])


def test_each_operation_is_announced_before_and_after(account: Account) -> None:
    seen: list[str] = []
    account.hook["before"] = lambda operation: seen.append(f"before {operation}")
    account.hook["after"] = lambda operation: seen.append(f"after {operation}")
    account.client("ec2").describe_instances()
    assert seen == ["before DescribeInstances", "after DescribeInstances"]


def test_refused_before_any_effect(account: Account) -> None:
    ec2 = account.client("ec2")
    account.hook["before"] = throttle
    assert refused(ec2.run_instances, **LAUNCH) == "RequestLimitExceeded"
    account.hook.clear()
    assert instances(ec2, account) == 0


def test_effect_then_the_reply_is_lost(account: Account) -> None:
    ec2 = account.client("ec2")
    account.hook["after"] = lose_the_reply
    with pytest.raises(ConnectionClosedError):
        ec2.run_instances(**LAUNCH, ClientToken="t")
    account.hook.clear()
    assert instances(ec2, account) == 1
    ec2.run_instances(**LAUNCH, ClientToken="t")
    assert instances(ec2, account) == 1
