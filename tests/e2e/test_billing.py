"""Collecting costs on what is deployed: bills, ledger and time are simulated or set back, everything else is real.

One collection reads all that there is; then clouds restate, charge late, throttle, and a collector is killed, while a
second one reads everything again. A window is an hour, for which nobody wants to wait: so the ledger is told that
machines on private clusters have been there since two and a half hours before this one.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.api import CostPage
from cli.client import ApiClient, ApiProblem
from infra.constructs.parameters import BUDGETS
from lambdas.core.billing.spans import HOUR, window_name
from local.machine import REGION
from tests.e2e import billing, private
from tests.e2e.billing import PUBLIC, SAGA, SOURCES, TEAM, Line, sums
from tests.e2e.conftest import Deployment
from tests.e2e.test_secrets import TELLTALES

LOCAL = "arn:aws:iam::123456789012:user/local"
GRANTS = [private.EVERYBODY, {"callers": [LOCAL], "costs": "all"}]
TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAA"
"""How each token of a task begins."""

LIVED = timedelta(hours=2.5)
HOURLY = 2 * Decimal("0.021") + 4 * Decimal("0.0035") + 30 * Decimal("0.00012")
"""By the rate cards, of each of the two machines that the saga has."""

BUDGET = {"amount": "10", "currency": "USD", "period": "total", "thresholds": [50, 100]}
QUEUE = "budgets"


class Collected(NamedTuple):
    """What there was to be collected, and the execution that did it first."""

    deployment: Deployment
    saga: str
    since: datetime
    execution: dict[str, Any]
    logged_before: Mapping[Path, int]

    @property
    def parameters(self) -> dict[str, str]:
        """Of a question about everything."""
        today = datetime.now(UTC).date()
        return {"from": str(today - timedelta(days=4)), "to": str(today)}

    def by_rate_card(self, source: str) -> Decimal:
        """What one of the saga's machines costs, of the hours that were read: there is one more when an hour passes."""
        lived = billing.read_until(self.deployment, source) - self.since
        return HOURLY * (lived // timedelta(minutes=30)) / 2


class CollectedAgain(NamedTuple):
    """How that went on, and where the killed collector had come to."""

    execution: dict[str, Any]
    cursor: str


@pytest.fixture(name="collected", scope="module")
def _collected(deployment: Deployment) -> Iterator[Collected]:
    logged = {path: path.stat().st_size for path in _logs(deployment)}
    private.grants(deployment, GRANTS)
    private.report(deployment)
    saga = private.submit(deployment, private.machine("web"), private.machine("reports", "scvmm"))
    assert deployment.wait(saga)["status"] == "COMMITTED"
    since = billing.hour_before(0) - LIVED
    for machine in ("web", "reports"):
        billing.live_since(deployment, saga, machine, since)
    deployment.machine.bill.add(_charges(saga))
    _put_budgets(deployment, {"careful": {**BUDGET, "saga": saga}})
    _queue_events(deployment)
    deployment.machine.collect_costs()
    private.eventually(lambda: bool(billing.collections(deployment)), "no collection ever began")
    (execution,) = billing.collections(deployment)
    yield Collected(deployment, saga, since, billing.ended(deployment, execution), logged)
    _put_budgets(deployment, {})
    deployment.client("events").remove_targets(Rule=QUEUE, Ids=[QUEUE])
    deployment.client("events").delete_rule(Name=QUEUE)
    deployment.destroy(saga)
    private.grants(deployment, [])


@pytest.fixture(name="again", scope="module")
def _again(collected: Collected) -> CollectedAgain:
    deployment = collected.deployment
    now = datetime.now(UTC)
    for source in PUBLIC:
        billing.forget_when_it_was_asked(deployment, source)
        deployment.machine.bill.restate(f"{source}/restated", Decimal("4.00000000000000000001"), now)
        late = billing.charge(f"{source}/late", source, billing.hour_before(20), "0.125", known_at=now)
        deployment.machine.bill.add([late])
    billing.arm(deployment, "azure", operation="Query_Usage", fault="throttle")
    billing.arm(deployment, "gcp", operation="jobs.insert", fault="throttle")
    billing.arm(deployment, "aws", operation="GetCostAndUsage", fault="throttle")
    billing.arm(deployment, "aws", operation="GetCostAndUsage", fault="slow", delay=2.0, times=2)
    execution = billing.start(deployment, window_name(billing.hour_before(-1)))
    cursor = billing.kill_between_pages(deployment, "aws", "skysaga-aws-costs")
    return CollectedAgain(billing.ended(deployment, execution), cursor)


def _charges(saga: str) -> Iterator[Any]:
    """Of the saga, of nobody, of another currency, and a credit: some that no binary fraction can tell."""
    yesterday = billing.hour_before(30)
    for source in PUBLIC:
        tags = {SAGA: saga, TEAM: "payments"}
        yield billing.charge(f"{source}/restated", source, yesterday, "2.00000000000000000001", tags=tags)
        yield billing.charge(f"{source}/exact", source, yesterday, "0.10000000000000000003", service="Other")
        yield billing.charge(f"{source}/credit", source, yesterday + HOUR, "-0.75", kind="credit")
    yield billing.charge("azure/euro", "azure", yesterday, "3.3", currency="EUR", tags={TEAM: "search"})


def _put_budgets(deployment: Deployment, budgets: Mapping[str, Any]) -> None:
    value = json.dumps(budgets)
    deployment.client("ssm").put_parameter(Name=BUDGETS, Value=value, Type="String", Overwrite=True)


def _queue_events(deployment: Deployment) -> None:
    sqs, events = deployment.client("sqs"), deployment.client("events")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["skysaga"], "detail-type": ["Budget passed"]}
    events.put_rule(Name=QUEUE, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=QUEUE, Targets=[{"Id": QUEUE, "Arn": arn}])


def _events(deployment: Deployment) -> list[dict[str, Any]]:
    """What has arrived since it was last looked at."""
    sqs = deployment.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
    for it in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=it["ReceiptHandle"])
    return [json.loads(it["Body"])["detail"] for it in messages]


def _logs(deployment: Deployment) -> list[Path]:
    return sorted(deployment.logs.glob("*.log"))


def answered(collected: Collected, *groups: str, api: ApiClient | None = None, **filters: str) -> CostPage:
    """What the API says by some groups; asked again as long as the answer is not there yet."""
    asked = {**collected.parameters, **filters, "limit": "1000", "group_by": ",".join(groups)}
    while True:
        try:
            return (api or collected.deployment.api).costs(asked)
        except ApiProblem as problem:
            if problem.status != 503:
                raise


def as_sums(document: Mapping[str, Any]) -> dict[tuple[str | None, ...], Decimal]:
    return {(*it["keys"].values(), it["currency"]): Decimal(it["billed"]) for it in document["items"]}


def charged(collected: Collected, folder: Path) -> list[Line]:
    """What clouds charged, and what the rate cards made of the ledger."""
    by_rate_card = [it for it in billing.kept(collected.deployment, folder) if it.source not in PUBLIC]
    return [*billing.billed(collected.deployment), *by_rate_card]


def test_a_collection_reads_every_source(collected: Collected) -> None:
    assert collected.execution["status"] == "SUCCEEDED"
    found = collected.execution["output"]["collected"]
    assert {it["source"]: it["collected"] for it in found} == dict.fromkeys(SOURCES, True)


def test_what_is_kept_is_what_clouds_charged_to_the_last_digit(collected: Collected, tmp_path: Path) -> None:
    kept = [it for it in billing.kept(collected.deployment, tmp_path) if it.source in PUBLIC]
    expected = billing.billed(collected.deployment)
    assert {it.source for it in expected} == set(PUBLIC)
    assert sums(kept, "source", "day", "saga", "team") == sums(expected, "source", "day", "saga", "team")


def test_a_machine_on_a_private_cluster_costs_what_the_rate_card_says(collected: Collected, tmp_path: Path) -> None:
    kept = [it for it in billing.kept(collected.deployment, tmp_path) if it.source not in PUBLIC]
    ours = [it for it in kept if it.saga == collected.saga]
    expected = {(source, "payments", "EUR"): collected.by_rate_card(source) for source in ("vcenter", "vmm")}
    assert sums(ours, "source", "team") == expected


@pytest.mark.parametrize("group", ["provider", "saga", "team", "day"])
def test_the_api_says_the_same_however_it_is_grouped(collected: Collected, tmp_path: Path, group: str) -> None:
    document = answered(collected, "label:team" if group == "team" else group)
    assert as_sums(document) == sums(charged(collected, tmp_path), group)


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "vsphere", "scvmm"])
def test_a_provider_goes_by_our_name_for_it(collected: Collected, provider: str) -> None:
    (found,) = {it["keys"]["source"] for it in answered(collected, "source", provider=provider)["items"]}
    assert found == {"vsphere": "vcenter", "scvmm": "vmm"}.get(provider, provider)


def test_the_api_says_how_fresh_all_sources_are(collected: Collected) -> None:
    fresh = {it["source"]: it for it in answered(collected)["freshness"]}
    assert sorted(fresh) == sorted(SOURCES)
    assert all(it["collected_at"] and not it["late"] and not it["windows_behind"] for it in fresh.values())
    assert all(fresh[source]["data_through"] for source in SOURCES)


def test_who_was_granted_no_costs_sees_none_but_their_own(collected: Collected) -> None:
    assert answered(collected, api=collected.deployment.guest)["items"] == []


def test_a_saga_says_itself_what_it_costs(collected: Collected) -> None:
    cost = {it["currency"]: Decimal(it["billed"]) for it in collected.deployment.api.get(collected.saga)["cost"]}
    euros = collected.by_rate_card("vcenter") + collected.by_rate_card("vmm")
    assert cost == {"EUR": euros, "USD": 3 * Decimal("2.00000000000000000001")}


def test_the_command_draws_and_exports_the_same(collected: Collected, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        environment = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        asked = [it for name, value in collected.parameters.items() for it in (f"--{name}", value)]
        options = ["--endpoint", collected.deployment.endpoints.api, "--region", REGION, "--by", "provider,day"]
        result = CliRunner(env=environment).invoke(main, ["costs", *arguments, *asked, *options])
        assert result.exit_code == 0, result.output
        return result.output

    exported = {form: tmp_path / f"costs.{form}" for form in ("csv", "json", "parquet")}
    charts = [run("--export", str(path)) for path in exported.values()]
    assert all("█" in it and "in all" in it and "INCOMPLETE" not in it for it in charts)
    assert all(f"   {source} (" in charts[0] for source in SOURCES)
    expected = sums(charged(collected, tmp_path / "kept"), "provider", "day")
    with exported["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(it["provider"], it["day"], it["currency"]): Decimal(it["billed"]) for it in rows} == expected
    assert as_sums(json.loads(exported["json"].read_text())) == expected
    found = duckdb.read_parquet(str(exported["parquet"])).select("provider, day, currency, billed").fetchall()
    assert {(*keys, currency): amount for *keys, currency, amount in found} == expected


def test_a_window_is_collected_under_its_name_once(collected: Collected) -> None:
    client = collected.deployment.client("stepfunctions")
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(
            stateMachineArn=collected.execution["stateMachineArn"], name=collected.execution["name"], input="{}"
        )


def test_a_budget_that_is_passed_is_told_of_on_the_bus(collected: Collected) -> None:
    (event,) = _events(collected.deployment)
    assert (event["budget"], event["threshold"], event["scope"]) == ("careful", 50, {"saga": collected.saga})
    assert Decimal(event["spent"]) == 3 * Decimal("2.00000000000000000001")
    assert [it["currency"] for it in event["left_out"]] == ["EUR"]


def test_what_is_restated_or_late_is_there_after_another_read(
    collected: Collected, again: CollectedAgain, tmp_path: Path
) -> None:
    assert again.execution["status"] == "SUCCEEDED"
    kept = billing.kept(collected.deployment, tmp_path)
    expected = billing.billed(collected.deployment)
    assert sums((it for it in kept if it.source in PUBLIC), "source", "day", "saga") == sums(
        expected, "source", "day", "saga"
    )
    restated = {(source, collected.saga, "USD"): Decimal("4.00000000000000000001") for source in PUBLIC}
    assert restated.items() <= sums(kept, "source", "saga").items()
    assert as_sums(answered(collected, "provider")) == sums(kept, "provider")
    for source in PUBLIC:
        statuses = billing.window_statuses(collected.deployment, source)
        assert {"RESTATED"} <= set(statuses.values()) <= {"COLLECTED", "RESTATED"}


def test_a_collector_that_is_killed_is_replaced_by_one_that_carries_on(
    collected: Collected, again: CollectedAgain
) -> None:
    """The page that was staged is not asked for again: the one after it is, twice.

    The call that died with its collector is answered late, perhaps after the one that replaced it.
    """
    assert json.loads(again.cursor)["query"] == 1

    def are_answered() -> bool:
        faults = [it["fault"] for it in billing.calls(collected.deployment, "aws", "GetCostAndUsage")]
        return Counter(faults[faults.index("throttle") :]) == {"throttle": 1, "slow": 2, None: 1}

    private.eventually(
        are_answered, "of the two slow calls, or of the one after them, there is one too few or too many"
    )
    assert billing.state_of(collected.deployment, "aws")["reads"] == 1


@pytest.mark.parametrize(
    ("source", "operation", "seconds"),
    [("aws", "GetCostAndUsage", 1), ("azure", "Query_Usage", 10), ("gcp", "jobs.insert", 7)],
)
@pytest.mark.usefixtures("again")
def test_a_cloud_that_throttles_is_left_alone_for_as_long_as_it_says(
    collected: Collected, source: str, operation: str, seconds: int
) -> None:
    calls = billing.calls(collected.deployment, source, operation)
    (struck,) = [number for number, it in enumerate(calls) if it["fault"] == "throttle"]
    assert calls[struck + 1]["at"] - calls[struck]["at"] >= seconds


@pytest.mark.usefixtures("again")
def test_a_threshold_is_announced_once(collected: Collected) -> None:
    assert [it["threshold"] for it in _events(collected.deployment)] == [100]


@pytest.mark.usefixtures("again")
def test_no_token_and_no_credential_is_found_anywhere_afterwards(collected: Collected, tmp_path: Path) -> None:
    events = list(_histories(collected.deployment))
    called = [it.get("taskScheduledEventDetails", {}).pop("parameters", "") for it in events]
    assert TOKEN in "".join(called)
    told = {
        **{
            it.name: it.read_bytes()[collected.logged_before.get(it, 0) :].decode()
            for it in _logs(collected.deployment)
        },
        **dict(_stored(collected.deployment, tmp_path)),
        "windows": json.dumps(list(_items(collected.deployment)), default=repr),
        "executions": json.dumps(events, default=repr),
        "traces": collected.deployment.traces.text(),
    }
    assert {"skysaga-aws-costs.log", "skysaga-billing-publish.log", "skysaga-rate-card.log"} <= set(told)
    assert any(name.startswith("staging/") for name in told)
    assert {where for where, text in told.items() for it in (TOKEN, "Bearer ", *TELLTALES) if it in text} == set()


def _stored(deployment: Deployment, folder: Path) -> Iterator[tuple[str, str]]:
    """Every object of the bucket as text."""
    for key, body in billing.objects(deployment):
        if key.endswith(".parquet"):
            file = folder / "some.parquet"
            file.write_bytes(body)
            yield key, repr(duckdb.read_parquet(str(file)).fetchall())
        else:
            yield key, (gzip.decompress(body) if key.endswith(".gz") else body).decode()


def _items(deployment: Deployment) -> Iterator[dict[str, Any]]:
    pages = deployment.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=billing.windows_table(deployment)):
        yield from page["Items"]


def _histories(deployment: Deployment) -> Iterator[Any]:
    """Each event; Step Functions itself keeps a task's token in what the task was called with, and nowhere else."""
    pages = deployment.client("stepfunctions").get_paginator("get_execution_history")
    for execution in billing.collections(deployment):
        for page in pages.paginate(executionArn=execution):
            yield from page["events"]
