"""Private clusters on what is deployed: the vCenter and the VMM server are simulated, everything else is real."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest
import requests
from click.testing import CliRunner

from cli.__main__ import main
from local.aws.clients import create_client
from local.machine import REGION
from local.private_clouds import AGENTS_CLUSTER, VCENTER_LOGIN
from tests.e2e.conftest import Deployment
from tests.e2e.private import (
    EVERYBODY,
    NOTHING,
    agent,
    arm,
    claimed,
    eventually,
    grants,
    machine,
    machines,
    report,
    resources_of,
    submit,
    working,
)


@pytest.fixture(autouse=True)
def _granted_and_reported(deployment: Deployment) -> Iterator[None]:
    grants(deployment, [EVERYBODY])
    report(deployment)
    yield
    for url in (deployment.endpoints.vsphere, deployment.endpoints.scvmm):
        requests.delete(f"{url}/_simulator/faults", timeout=10)
    grants(deployment, [])
    assert machines(deployment) == []
    assert all(it["claimed"] == NOTHING for it in deployment.api.clusters())


def test_one_saga_spans_private_clusters_and_public_clouds(deployment: Deployment) -> None:
    public = {"id": "data", "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}}
    saga_id = submit(
        deployment,
        machine("web-1", anti_affinity="web"),
        machine("web-2", anti_affinity="web"),
        machine("near-1", near="web-1"),
        machine("reports", "scvmm"),
        public,
    )
    saga = deployment.wait(saga_id)
    assert saga["status"] == "COMMITTED", saga

    placed = resources_of(saga)
    assert {placed["web-1"]["cluster"], placed["web-2"]["cluster"]} == {"vc-1", "vc-2"}
    assert placed["near-1"]["cluster"] == placed["web-1"]["cluster"]
    assert placed["reports"]["cluster"] in ("hv-1", "hv-2")
    assert len(machines(deployment)) == 4
    assert all(it["marks"]["team"] == "payments" for it in machines(deployment))
    assert sum(it["cpu"] for it in claimed(deployment).values()) == 8

    deployment.destroy(saga_id)
    assert deployment.held() == []


def test_a_failure_anywhere_undoes_what_is_on_private_clusters(deployment: Deployment) -> None:
    arm(deployment.endpoints.gcp, operation="disks.insert", fault="capacity", times=1)
    disk = {"id": "data", "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}}
    disk |= {"depends_on": ["web"]}
    saga = deployment.wait(submit(deployment, machine("web"), machine("reports", "scvmm"), disk, preflight=False))
    assert saga["status"] == "ROLLED_BACK"
    assert resources_of(saga)["web"]["status"] == "ABSENT"


def test_a_cluster_without_room_after_all_is_left_for_another(deployment: Deployment) -> None:
    arm(deployment.endpoints.vsphere, operation="PowerOnVM_Task", fault="capacity", times=1)
    saga_id = submit(deployment, machine("web"))
    saga = deployment.wait(saga_id)
    assert saga["status"] == "COMMITTED", saga
    messages = [it["message"] or "" for it in deployment.api.follow(saga_id)]
    placed_on = [it.removeprefix("placed on ") for it in messages if it.startswith("placed on ")]
    assert sorted(placed_on) == ["vc-1", "vc-2"]
    assert any(it.startswith("refused by its cluster: CapacityError") or "refused by" in it for it in messages)
    assert resources_of(saga)["web"]["cluster"] == placed_on[-1]
    assert len(machines(deployment)) == 1
    assert claimed(deployment)[placed_on[0]] == NOTHING
    deployment.destroy(saga_id)


@pytest.mark.parametrize(
    ("provider", "operation"),
    [("vsphere", "CloneVM_Task"), ("scvmm", "New-SCVirtualMachine")],
)
def test_a_create_whose_answer_is_lost_makes_one_machine(deployment: Deployment, provider: str, operation: str) -> None:
    arm(deployment.endpoints._asdict()[provider], operation=operation, fault="lost", times=1)
    saga_id = submit(deployment, machine("web", provider))
    saga = deployment.wait(saga_id)
    assert saga["status"] == "COMMITTED", saga
    assert len(machines(deployment)) == 1
    deployment.destroy(saga_id)


def test_no_candidate_is_refused_before_anything_is_created_and_says_why(deployment: Deployment) -> None:
    saga = deployment.wait(submit(deployment, machine("web", labels={"site": "mars"}), machine("db")))
    assert saga["status"] == "ROLLED_BACK"
    error = resources_of(saga)["web"]["error"]
    assert error.startswith("NoClusterFits: no vsphere cluster of the target 'default' can take this machine.")
    assert "vc-1" in error
    assert "site=mars" in error


def test_a_cluster_is_drained_while_sagas_run(deployment: Deployment) -> None:
    deployment.api.drain("vc-1", True)
    try:
        saga_id = submit(deployment, *(machine(f"web-{number}") for number in range(3)))
        saga = deployment.wait(saga_id)
        assert {it["cluster"] for it in saga["resources"]} == {"vc-2"}
    finally:
        deployment.api.drain("vc-1", False)
    deployment.destroy(saga_id)


def test_a_password_is_rotated_without_deploying_again(deployment: Deployment) -> None:
    secrets = create_client("secretsmanager", deployment.endpoints.aws, REGION)
    vcenter, user = deployment.machine.vcenter(), VCENTER_LOGIN["username"]
    old = vcenter.sessions.passwords[user]
    rotated = {**VCENTER_LOGIN, "password": "another-simulated-password-of-vcenter"}
    try:
        vcenter.sessions.passwords[user] = (rotated["password"],)
        vcenter.sessions.end_all()
        secrets.put_secret_value(SecretId="skysaga/vcenter", SecretString=json.dumps(rotated))
        saga_id = submit(deployment, machine("web"))
        assert deployment.wait(saga_id)["status"] == "COMMITTED"
    finally:
        vcenter.sessions.passwords[user] = old
        vcenter.sessions.end_all()
        secrets.put_secret_value(SecretId="skysaga/vcenter", SecretString=json.dumps(VCENTER_LOGIN))
    deployment.destroy(saga_id)


def test_an_agent_works_from_inside_its_network_and_drains_when_it_is_terminated(deployment: Deployment) -> None:
    with agent(deployment) as process:
        working(deployment)
        saga_id = submit(deployment, machine("edge", target="outpost"))
        saga = deployment.wait(saga_id)
        assert saga["status"] == "COMMITTED", saga
        assert resources_of(saga)["edge"]["cluster"] == AGENTS_CLUSTER
        deployment.destroy(saga_id)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1] == b"drained"


def test_an_agent_that_is_killed_is_replaced_without_a_second_machine(deployment: Deployment) -> None:
    with agent(deployment) as first:
        working(deployment)
        saga_id = submit(deployment, machine("edge", target="outpost"))
        eventually(lambda: bool(machines(deployment)), "nothing was ever cloned")
        first.kill()
        first.wait()
        with agent(deployment):
            saga = deployment.wait(saga_id)
            assert saga["status"] == "COMMITTED", saga
            assert len(machines(deployment)) == 1
            deployment.destroy(saga_id)


def test_the_command_shows_and_drains_clusters(deployment: Deployment) -> None:
    def run(*arguments: str) -> str:
        environment = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        options = ["--endpoint", deployment.endpoints.api, "--region", REGION]
        result = CliRunner(env=environment).invoke(main, [*arguments, *options])
        assert result.exit_code == 0, result.output
        return result.output

    lines = run("clusters").splitlines()
    assert lines[0].split()[:4] == ["CLUSTER", "PROVIDER", "TARGET", "HOSTS"]
    assert any(line.startswith("vc-1 ") and line.rstrip().endswith("ok") for line in lines)
    assert {it["name"] for it in json.loads(run("clusters", "-o", "json"))["items"]} >= {"vc-1", "vc-2", "hv-1", "hv-2"}
    assert run("drain", "vc-2") == "vc-2 takes nothing new; 0 vCPU, 0 GiB and 0 GiB of disk are claimed\n"
    assert any(line.startswith("vc-2 ") and line.rstrip().endswith("drained") for line in run("clusters").splitlines())
    assert run("drain", "vc-2", "--end") == "vc-2 takes machines again\n"
