"""The life of a deployment, told once: each fixture is a chapter and records what was seen in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.bundles import ROOT
from local.assembly import PROJECT, SUBSCRIPTION, synthesize
from local.billing import declared
from local.private_clouds import DECLARED
from tests.deploys import command_line
from tests.deploys.command_line import ACCOUNT, deploy, finish
from tests.deploys.comparing import DeployedStack
from tests.deploys.leftovers import Leftovers, leftovers
from tests.deploys.site import MACHINES, Site, open_site

STACKS = (
    "SkysagaData",
    "SkysagaSaga",
    "SkysagaGuard",
    "SkysagaApi",
    "SkysagaNotices",
    "SkysagaClusters",
    "SkysagaBilling",
    "SkysagaTelemetry",
)
CONTEXT = {
    "bundle": "host",
    "google_cloud_project": PROJECT,
    "azure_subscription_id": SUBSCRIPTION,
    "private_clouds": json.dumps(DECLARED),
    "billing": json.dumps(declared(ACCOUNT, SUBSCRIPTION, PROJECT)),
}
SETTINGS = tuple(argument for name, value in CONTEXT.items() for argument in ("-c", f"{name}={value}"))
"""What the first deployment was told, or the second would take its targets, private clouds and sources away."""
SECOND = "step done by the second release"
SMALL = b"""
name: small
resources: [{id: data-gcp, provider: gcp, kind: disk, zone: europe-west1-b, spec: {size_gb: 50}}]
"""


@dataclass(frozen=True)
class First:
    """The first deployment: its assembly, what the command line said, and what it said when asked again."""

    site: Site
    assembly: Path
    said: str
    stacks: dict[str, str]
    said_again: str


@dataclass(frozen=True)
class ReadBack:
    """Every resource that was deployed: its type, and how it differs from the template; the definitions by name."""

    differences: dict[tuple[str, str], tuple[str, list[str]]]
    definitions: dict[str, str]


@dataclass(frozen=True)
class Sagas:
    """A saga that committed and one that could not, and what the clouds held after each."""

    committed: dict[str, Any]
    resources: list[dict[str, Any]]
    rolled_back: dict[str, Any]
    resources_after: list[dict[str, Any]]


@dataclass(frozen=True)
class Second:
    """The second deployment, while a saga was under way; where sagas ran, and what their steps logged."""

    on_the_way: dict[int, int]
    routing: dict[str, dict[int, int]]
    before: tuple[int, set[tuple[str, int]]]
    after: tuple[int, set[tuple[str, int]]]
    statuses: tuple[str, str]
    log_before: set[str]
    log_after: set[str]
    layers_before: dict[str, list[str]]
    layers_after: dict[str, list[str]]


@dataclass(frozen=True)
class Stopped:
    """The third deployment, stopped by an alarm."""

    said: str
    on_the_way: dict[int, int]
    routing: dict[str, dict[int, int]]
    stack: tuple[str, str]
    ran_on: tuple[int, set[tuple[str, int]]]
    status: str


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    command_line.install()
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture(scope="package")
def first(site: Site) -> First:
    assembly = synthesize()
    site.command_line.run("bootstrap", f"aws://{ACCOUNT}/us-east-1", folder=site.folder)
    said = site.command_line.run(*deploy(str(assembly)))
    stacks = {name: site.stack(name)[0] for name in STACKS}
    return First(site, assembly, said, stacks, site.command_line.run(*deploy(str(assembly))))


@pytest.fixture(scope="package")
def read_back(first: First) -> ReadBack:
    stacks = {
        name: DeployedStack(first.site.account, name, first.assembly / f"{name}.template.json") for name in STACKS
    }
    differences = {
        (name, logical_id): (kind, stack.differences(logical_id))
        for name, stack in stacks.items()
        for logical_id, kind in stack.types.items()
    }
    stepfunctions = first.site.account.client("stepfunctions")
    machines = stepfunctions.list_state_machines()["stateMachines"]
    arns = {it["name"]: it["stateMachineArn"] for it in machines}
    definitions = {
        name: stepfunctions.describe_state_machine(stateMachineArn=arn)["definition"] for name, arn in arns.items()
    }
    return ReadBack(differences, definitions)


@pytest.fixture(scope="package")
def sagas(first: First, read_back: ReadBack) -> Sagas:
    """On what is running, which points the private clusters to where they are simulated: it was read back before."""
    site = first.site
    site.run()
    committed = site.ended(site.submit())
    resources = site.resources()
    site.arm("gcp", operation="instances.insert", fault="capacity", delay=1)
    doomed = site.submit()
    site.destroy(committed["id"])
    rolled_back = site.ended(doomed)
    return Sagas(committed, resources, rolled_back, site.resources())


@pytest.fixture(scope="package")
def second(first: First, read_back: ReadBack, sagas: Sagas, tmp_path_factory: pytest.TempPathFactory) -> Second:
    site, release = first.site, second_release(tmp_path_factory.mktemp("second"))
    site.arm("gcp", operation="*.get", fault="stale", delay=3600, times=None)  # what is created does not show
    under_way, layers = site.submit(SMALL), site.layers()
    with site.held():
        deployment = site.command_line.start(*deploy(".venv/bin/python app.py"), *SETTINGS, folder=release)
        on_the_way = site.until_on_the_way(deployment)
    finish(deployment)
    started_after = site.submit(SMALL)
    assert site.api.get(under_way)["status"] == "PROVISIONING", "it must have lasted as long as the deployment"
    site.disarm("gcp")
    ended = [site.ended(saga) for saga in (under_way, started_after)]
    logged = [
        {it["message"] for it in site.log("skysaga-saga") if it.get("correlation_id") == saga["id"]} for saga in ended
    ]
    before, after = (site.ran_on(saga["id"]) for saga in ended)
    site.destroy(under_way, started_after)
    routing = {name: site.routing(name) for name in MACHINES}
    statuses = (ended[0]["status"], ended[1]["status"])
    return Second(on_the_way, routing, before, after, statuses, logged[0], logged[1], layers, site.layers())


@pytest.fixture(scope="package")
def stopped(first: First, second: Second) -> Stopped:
    """The first release once more, which is as much of a change; but now steps break."""
    site = first.site
    cloudwatch = site.account.client("cloudwatch")
    alarm = {"AlarmName": "skysaga-rollout-steps-broken", "StateReason": "a test says so"}
    with site.held():
        deployment = site.command_line.start(*deploy(str(first.assembly)))
        on_the_way = site.until_on_the_way(deployment)
        cloudwatch.set_alarm_state(StateValue="ALARM", **alarm)
    said = finish(deployment, code=1)
    cloudwatch.set_alarm_state(StateValue="OK", **alarm)
    saga = site.ended(site.submit(SMALL))
    ran_on = site.ran_on(saga["id"])
    routing = {name: site.routing(name) for name in MACHINES}
    return Stopped(said, on_the_way, routing, site.stack("SkysagaSaga"), ran_on, saga["status"])


@pytest.fixture(scope="package")
def left(first: First, stopped: Stopped) -> Leftovers:
    """What is there when everything is destroyed."""
    first.site.command_line.run("destroy", "--all", "--force", "--app", str(first.assembly))
    return leftovers(first.site.account)


def second_release(folder: Path) -> Path:
    """A checkout whose provisioning begins with one state more, and whose functions log something else."""
    for name in ("app.py", "cdk.json", "console", "infra", "lambdas", "statemachines"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / ".local").mkdir()
    (folder / ".local" / "bundles").symlink_to(ROOT / ".local" / "bundles")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    _replace(folder / "lambdas/adapters/observability.py", '"step done"', f'"{SECOND}"')
    more = '"States": {"SecondRelease": {"Type": "Pass", "Next": "BeginSaga"},'
    _replace(folder / "statemachines/provisioning.asl.json", '"States": {', more)
    _replace(folder / "statemachines/provisioning.asl.json", '"StartAt": "BeginSaga"', '"StartAt": "SecondRelease"')
    return folder


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
