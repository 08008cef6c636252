"""Private clouds as the deployment declares them: checked when the stacks are synthesized."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.application import build_application
from infra.declaration import BadDeclaration
from infra.private_clouds import MOST_CLUSTERS, PrivateClouds
from lambdas.core.clusters import Amounts, ClusterSettings, Overcommit
from lambdas.core.specs.private import Placement
from tests.infra.conftest import PRIVATE_CLOUDS
from tests.infra.template import Template, text

CLUSTER = {"cluster": "CL01"}
ARN = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:"


def cloud(**changes: Any) -> dict[str, Any]:
    usual = {
        "provider": "vsphere",
        "server": "https://vc.example/sdk",
        "secret": "skysaga/a",
        "clusters": {"a": CLUSTER},
    }
    return {**usual, **changes}


def mistakes(document: object) -> list[str]:
    with pytest.raises(BadDeclaration) as error:
        PrivateClouds.parse(document)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def written(clusters: Template) -> dict[str, ClusterSettings]:
    values = {it["Name"]: text(it["Value"]) for it in clusters.properties("AWS::SSM::Parameter")}
    return {name: ClusterSettings.model_validate_json(value) for name, value in values.items()}


def test_every_cluster_has_a_parameter_that_functions_can_read(clusters: Template) -> None:
    declared = {name for it in PRIVATE_CLOUDS.values() for name in it["clusters"]}

    assert {it.name for it in written(clusters).values()} == declared
    assert set(written(clusters)) == {f"/skysaga/clusters/{name}" for name in declared}


def test_what_is_declared_of_a_cluster_and_of_its_cloud_reaches_its_worker(clusters: Template) -> None:
    settings = written(clusters)["/skysaga/clusters/berlin-1"]

    assert settings == ClusterSettings(
        name="berlin-1",
        provider="vsphere",
        server="https://vcenter.berlin.example/sdk",
        secret="skysaga/berlin",
        cluster="CL01",
        folder="skysaga",
        network="VM Network",
        queue_url=settings.queue_url,
        ledger_table=settings.ledger_table,
        labels={"site": "berlin"},
        concurrency=8,
        overcommit=Overcommit(cpu=6, memory=1.2, disk=1.5),
        reserve=Amounts(cpu=8, memory_mb=65536, disk_gb=500),
    )


def test_what_is_left_out_is_what_functions_assume_too(clusters: Template) -> None:
    settings = written(clusters)["/skysaga/clusters/ulm-2"]

    assert settings == ClusterSettings(
        name="ulm-2",
        provider="vsphere",
        target="payments",
        server="https://vcenter.ulm.example/sdk",
        secret=f"{ARN}ulm-AbCdEf",
        cluster="CL02",
        queue_url=settings.queue_url,
        ledger_table=settings.ledger_table,
    )


def test_a_cluster_is_worked_on_by_way_of_its_own_queue(clusters: Template) -> None:
    queues = clusters.resources("AWS::SQS::Queue")

    for settings in written(clusters).values():
        queue = queues[settings.queue_url.strip("{}")]
        assert queue["Properties"]["QueueName"] == f"skysaga-cluster-{settings.name}"


def test_an_agent_finds_the_ledger_by_the_settings_of_its_cluster(clusters: Template) -> None:
    assert all("LedgerTable" in it.ledger_table for it in written(clusters).values())


def test_labels_are_declared_as_requests_may_ask_for_them() -> None:
    (mistake,) = mistakes({"berlin": cloud(clusters={"a": {**CLUSTER, "labels": {"site": "two words"}}})})

    assert mistake.startswith("private_clouds.berlin.clusters.a.labels.site: ")
    labels = PRIVATE_CLOUDS["berlin"]["clusters"]["berlin-1"]["labels"]
    assert Placement(cpu=1, memory_gb=1, disk_gb=10, labels=labels).labels == labels


def test_the_targets_of_a_provider_are_those_that_its_clouds_are_part_of() -> None:
    declared = PrivateClouds.parse(PRIVATE_CLOUDS)

    assert json.loads(declared.targets("vsphere")) == {"default": {}, "payments": {}}
    assert json.loads(declared.targets("scvmm")) == {"default": {}}
    assert json.loads(PrivateClouds.parse({}).targets("vsphere")) == {}


def test_every_mistake_is_named_at_once() -> None:
    document = {
        "Berlin": cloud(),
        "ulm": cloud(provider="hyperv", server="http://vc.example", secret="a b", target="", worker="me", vpc={}),
        "bonn": cloud(clusters={"b": {"concurrency": 0, "overcommit": {"cpu": 0}, "reserve": {"cpu": -1}, "size": 1}}),
        "jena": cloud(clusters={}),
    }

    assert [it.partition(":")[0].removeprefix("private_clouds.") for it in mistakes(document)] == [
        "Berlin.[key]",
        "ulm.provider",
        "ulm.server",
        "ulm.secret",
        "ulm.target",
        "ulm.worker",
        "ulm.vpc.subnets",
        "ulm.vpc.security_groups",
        "bonn.clusters.b.cluster",
        "bonn.clusters.b.concurrency",
        "bonn.clusters.b.overcommit.cpu",
        "bonn.clusters.b.reserve.cpu",
        "bonn.clusters.b.size",
        "jena.clusters",
    ]


VPC = {"subnets": ["subnet-01234567"], "security_groups": ["sg-01234567"]}
MANY = {f"c{number}": {"cluster": f"CL{number}"} for number in range(MOST_CLUSTERS + 1)}
LABELS = {f"label-{number}-{'x' * 50}": "y" * 60 for number in range(32)}


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        (
            {"a": cloud(), "b": cloud(server="https://other.example")},
            "b.clusters.a: is called like private_clouds.a.clusters.a",
        ),
        (
            {"a": cloud(), "b": cloud(server="https://VC.example/sdk/", clusters={"b": CLUSTER})},
            "b.clusters.b: is the same cluster as private_clouds.a.clusters.a, and would be promised twice",
        ),
        ({"a": cloud(clusters={"x-dead": CLUSTER})}, "a.clusters.x-dead: a name ends in -dead only where"),
        ({"a": cloud(vpc=VPC)}, "a.vpc: give it to a worker on lambda"),
        ({"a": cloud(clusters=MANY)}, "a.clusters: Dictionary should have at most 12 items"),
        ({"a": cloud(clusters={"a": {**CLUSTER, "labels": LABELS}})}, "a.clusters.a: its settings are "),
        ({"a": cloud(server="https://me:secret@vc.example")}, "a.server: "),
        ({"a": cloud(server="vc.example")}, "a.server: "),
        ({"a": cloud(secret="arn:aws:iam::1:user/x")}, "a.secret: "),
    ],
)
def test_what_cannot_be_is_refused(document: object, mistake: str) -> None:
    (found,) = mistakes(document)

    assert found.startswith(f"private_clouds.{mistake}")


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadDeclaration, match="`private_clouds` is not JSON"):
        PrivateClouds.parse("{")


@pytest.mark.parametrize(
    "server", ["https://vmm.example:5986/wsman", "http://127.0.0.1:8989/sdk", "http://localhost:1"]
)
def test_a_password_is_sent_encrypted_or_stays_on_the_machine(server: str) -> None:
    assert PrivateClouds.parse({"a": cloud(server=server)}).by_name["a"].server == server


@pytest.mark.parametrize("secret", ["skysaga/berlin", f"{ARN}skysaga/berlin-AbCdEf"])
def test_a_secret_has_a_name_or_an_arn(secret: str) -> None:
    assert PrivateClouds.parse({"a": cloud(secret=secret)}).by_name["a"].secret == secret


def test_they_may_be_given_on_the_command_line() -> None:
    assert PrivateClouds.parse(json.dumps(PRIVATE_CLOUDS)) == PrivateClouds.parse(PRIVATE_CLOUDS)


def test_without_any_there_is_no_stack_for_them(tmp_path: Any) -> None:
    app = build_application(outdir=str(tmp_path), context={"bundle": "host"})

    assert "SkysagaSaga" in [it.node.id for it in app.node.children]
    assert "SkysagaClusters" not in [it.node.id for it in app.node.children]
