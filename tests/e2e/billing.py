"""Costs on what is deployed: what clouds charged, what is kept of that, and collections between the two."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import requests

from lambdas.core.billing.spans import HOUR, window_of
from local.assembly import PROJECT, SUBSCRIPTION
from local.aws.account import ACCOUNT_ID, COST_EXPLORER_FAULTS
from local.lambda_runtime.runtime import LambdaRuntime
from local.simulators.bill import Charge
from local.simulators.gcp.billing_export import begins
from tests.e2e.conftest import Deployment, state_machine

DAY = timedelta(days=1)
EXACT = Context(prec=60)
PATIENCE_SECONDS = 60
PUBLIC = {"aws": ACCOUNT_ID, "azure": SUBSCRIPTION, "gcp": PROJECT}
"""The account of each source that a cloud bills; the source is called as the cloud is."""

SOURCES = {"aws": "AWS", "azure": "Microsoft", "gcp": "Google Cloud", "vcenter": "vSphere", "vmm": "System Center VMM"}
"""What their bills call their providers."""

SAGA, TEAM = "skysaga-saga", "team"


class Line(NamedTuple):
    """Something that was charged, by what one can ask for."""

    source: str
    provider: str
    saga: str | None
    team: str | None
    day: str
    currency: str
    billed: Decimal


def sums(lines: Iterable[Line], *groups: str) -> dict[tuple[str | None, ...], Decimal]:
    """What lines come to by some of their fields and their currency."""
    found: dict[tuple[str | None, ...], Decimal] = defaultdict(Decimal)
    for line in lines:
        key = (*(getattr(line, group) for group in groups), line.currency)
        found[key] = EXACT.add(found[key], line.billed)
    return dict(found)


def charge(name: str, provider: Any, start: datetime, amount: str, **more: Any) -> Charge:
    """Something that was used for an hour, and was known of when that was over."""
    usage = Charge(
        id=name,
        provider=provider,
        account=PUBLIC[provider],
        service="Something",
        sku=name,
        region="",
        resource=name,
        start=start,
        end=start + HOUR,
        quantity=Decimal(1),
        unit="Hours",
        amount=Decimal(amount),
        currency="USD",
        known_at=start + HOUR,
        billing_month=f"{start:%Y-%m}",
    )
    return replace(usage, **more)


def billed(deployment: Deployment) -> list[Line]:
    """What clouds charged for in all that was read of them, as it was known then."""
    return [
        _line(source, it)
        for source, account in PUBLIC.items()
        for asked in state_of(deployment, source)["asked"]
        for it in deployment.machine.bill.known(account, _moment(asked["at"]))
        if _moment(asked["start"]) <= _place(source, it) < _moment(asked["end"])
    ]


def _line(source: str, it: Charge) -> Line:
    # Cost Explorer tells services apart, and one tag.
    team = None if source == "aws" else it.tags.get(TEAM)
    return Line(source, SOURCES[source], it.tags.get(SAGA), team, f"{it.start:%Y-%m-%d}", it.currency, it.amount)


def _place(source: str, it: Charge) -> datetime:
    """The window that a charge belongs to: of clouds that know days only, the first one of its day."""
    return begins(it) if source == "gcp" else it.start.replace(hour=0)


def kept(deployment: Deployment, folder: Path) -> list[Line]:
    """What is kept, as DuckDB reads it."""
    folder.mkdir(exist_ok=True)
    for number, (_, body) in enumerate(objects(deployment, "costs/")):
        (folder / f"{number}.parquet").write_bytes(body)
    query = f"""
        SELECT "x_Source", "ProviderName", "x_SagaId", "Tags"['{TEAM}'], strftime("ChargePeriodStart", '%Y-%m-%d'),
               "BillingCurrency", "BilledCost"
        FROM read_parquet('{folder}/*.parquet')
    """  # noqa: S608 -- our own words
    with duckdb.connect() as connection:
        return [Line(*row) for row in connection.execute(query).fetchall()]


def objects(deployment: Deployment, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Everything in the bucket of costs."""
    s3 = deployment.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if it["Name"].startswith("skysaga-costs")]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for it in page.get("Contents", ()):
            yield it["Key"], s3.get_object(Bucket=bucket, Key=it["Key"])["Body"].read()


def windows_table(deployment: Deployment) -> str:
    (table,) = [it for it in deployment.client("dynamodb").list_tables()["TableNames"] if "windows" in it.lower()]
    return str(table)


def state_of(deployment: Deployment, source: str) -> dict[str, Any]:
    """What is known of a source."""
    item = _state_item(deployment, source)
    return dict(json.loads(item["document"]["S"])) if item else {}


def read_until(deployment: Deployment, source: str) -> datetime:
    """The end of what was read of a source."""
    return _moment(state_of(deployment, source)["asked"][-1]["end"])


def window_statuses(deployment: Deployment, source: str) -> dict[str, str]:
    """The status of each window of a source that was ever read, by its name."""
    answer = deployment.client("dynamodb").query(
        TableName=windows_table(deployment),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"SOURCE#{source}"}},
    )
    return {it["sk"]["S"].removeprefix("WINDOW#"): json.loads(it["document"]["S"])["status"] for it in answer["Items"]}


def forget_when_it_was_asked(deployment: Deployment, source: str) -> None:
    """Have a source read again: what was read of it was read a day ago, all of a sudden."""
    item = _state_item(deployment, source)
    state = json.loads(item["document"]["S"])
    for asked in state["asked"]:
        asked["at"] = (_moment(asked["at"]) - DAY).isoformat()
    item["document"]["S"] = json.dumps(state)
    deployment.client("dynamodb").put_item(TableName=windows_table(deployment), Item=item)


def live_since(deployment: Deployment, saga_id: str, resource_id: str, moment: datetime) -> None:
    """Have a machine of a private cluster been ready since some moment in the past."""
    dynamodb = deployment.client("dynamodb")
    (table,) = [it for it in dynamodb.list_tables()["TableNames"] if "Ledger" in it]
    key = {"pk": {"S": saga_id}, "sk": {"S": f"RESOURCE#{resource_id}"}}
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    item["document"]["S"] = json.dumps(json.loads(item["document"]["S"]) | {"ready_at": moment.isoformat()})
    dynamodb.put_item(TableName=table, Item=item)


def hour_before(hours: int) -> datetime:
    """The window that began so many hours before the running one."""
    return window_of(datetime.now(UTC)) - hours * HOUR


def collections(deployment: Deployment) -> list[str]:
    """The ARN of each execution that collects or has collected, the newest first."""
    client = deployment.client("stepfunctions")
    answer = client.list_executions(stateMachineArn=state_machine(client, "skysaga-billing"))
    return [it["executionArn"] for it in answer["executions"]]


def start(deployment: Deployment, window: str) -> str:
    """Begin to collect under the name of a window; the execution's ARN."""
    client = deployment.client("stepfunctions")
    machine = state_machine(client, "skysaga-billing")
    answer = client.start_execution(stateMachineArn=machine, name=window, input=json.dumps({"window": window}))
    return str(answer["executionArn"])


def ended(deployment: Deployment, execution: str) -> dict[str, Any]:
    """An execution once it is over."""
    client = deployment.client("stepfunctions")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (described := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, described
        time.sleep(0.1)
    return {**described, "output": json.loads(described.get("output", "null"))}


def kill_between_pages(deployment: Deployment, source: str, function: str) -> str:
    """SIGKILL a collector that has moved past a page of a read and asked for the next; the cursor that it came to.

    That one has to be answered slowly, since a collector is given half a second to ask for it.
    """
    runtime = deployment.machine.runtime
    assert isinstance(runtime, LambdaRuntime)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        read = state_of(deployment, source).get("read") or {}
        if read.get("cursor") and not read["complete"]:
            time.sleep(0.5)
            assert runtime.kill(function), "it ended before it could be killed"
            return str(read["cursor"])
        time.sleep(0.02)
    raise AssertionError("no page was ever read")


def simulator(deployment: Deployment, source: str) -> str:
    """Where the simulator of a cloud's billing is administered."""
    machine = deployment.machine
    return {
        "aws": f"{machine.aws}{COST_EXPLORER_FAULTS}",
        "azure": f"{machine.azure}/_simulator/",
        "gcp": f"{machine.bigquery}/_simulator/",
    }[source]


def arm(deployment: Deployment, source: str, **fault: Any) -> None:
    requests.post(f"{simulator(deployment, source)}faults", json=[fault], timeout=10).raise_for_status()


def calls(deployment: Deployment, source: str, operation: str) -> list[Mapping[str, Any]]:
    """Every call of an operation, the first one first."""
    log = requests.get(f"{simulator(deployment, source)}log", timeout=10).json()
    return [it for it in log if it["operation"] == operation]


def _state_item(deployment: Deployment, source: str) -> dict[str, Any]:
    key = {"pk": {"S": "SOURCES"}, "sk": {"S": source}}
    answer = deployment.client("dynamodb").get_item(TableName=windows_table(deployment), Key=key, ConsistentRead=True)
    return dict(answer.get("Item", {}))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
