"""Nothing that a caller keeps to themselves is found anywhere afterwards, whatever became of what they sent.

What is looked through: every function's log (at DEBUG) with its metrics, every execution's input, output and history,
X-Ray's segments, and the ledger but for the one place where a request's own document is kept, which is encrypted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml

from cli.client import ApiProblem
from local.demo.story import REQUEST
from local.private_clouds import VCENTER_LOGIN
from tests.e2e import private
from tests.e2e.conftest import Deployment

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIKeptToThemselvesKeptToThemselvesKeptToThem"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAKeptToThemselves\n-----END OPENSSH PRIVATE KEY-----\n"
CLOUD_INIT = "#cloud-config\nchpasswd: {list: ['ops:KeptToThemselves'], expire: false}\n"
TOKEN = "ghp_KeptToThemselvesKeptToThemselves0042"
PASSWORD = "Hunter2KeptToThemselves"
TELLTALES = ("KeptToThem", "simulated-access-token", "BEGIN PRIVATE KEY", "simulated-password")
"""Parts of all of these, of the token that the simulated Azure gives, of the key file that Google's tokens need, and of
the passwords of the simulated vCenter and VMM server."""


def document(**changes: Any) -> dict[str, Any]:
    """The example, with a key of our own."""
    request: dict[str, Any] = yaml.safe_load(REQUEST.read_text().replace("checkout", "secretive"))
    request["resources"][3]["spec"]["ssh_public_key"] = f"ssh-ed25519 {KEY} ops@example"
    return {**request, **changes}


def misplaced() -> Iterator[tuple[str, str]]:
    """Requests with a secret where none belongs, as JSON, or as something that is meant to be; and what is wrong."""
    for secret in (PEM, CLOUD_INIT, TOKEN, PASSWORD):
        yield json.dumps(document(user_data=secret)), "an unknown field"
        yield json.dumps(document(**{secret: "x"})), "a name of a field"
        yield json.dumps(document(name=secret)), "a name"
        yield json.dumps(document(ttl=secret)), "a duration"
        yield json.dumps(document(labels={secret: secret})), "a label"
        for field, value in {
            "id": secret,
            "provider": secret,
            "kind": secret,
            "region": secret,
            "depends_on": [secret],
            "spec": {"image": secret, "size": secret, "disks": [secret], "user_data": secret},
        }.items():
            wrong = document()
            wrong["resources"][1][field] = value
            yield json.dumps(wrong), f"a resource's {field}"
        wrong = document()
        wrong["resources"][3]["spec"]["ssh_public_key"] = secret
        yield json.dumps(wrong), "a public key"
        yield f'{{"name": "{secret}"', "JSON that ends too soon"
        yield f'{{"{secret}": 1, "{secret}": 2}}', "a field that stands twice"


@pytest.fixture(name="told", scope="module")
def _told(deployment: Deployment) -> Mapping[str, str]:
    """All that was written anywhere in a commit, a release, a roll-back and a hundred refusals; by where."""
    before = {path: path.stat().st_size for path in _logs(deployment)}
    committed = deployment.api.submit(json.dumps(document()).encode(), "application/json", f"key-{PASSWORD}")["id"]
    assert deployment.wait(committed)["status"] == "COMMITTED"
    deployment.destroy(committed)
    _go_through_private_clusters(deployment)
    rolled_back = _roll_back_by_quotes(deployment)
    answers = [_refusal(deployment, wrong, what) for wrong, what in misplaced()]
    for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"Cookie": f"session={TOKEN}"}):
        requests.get(f"{deployment.endpoints.api}/sagas?token={TOKEN}", headers=headers, timeout=10)
    views = [json.dumps(deployment.api.get(it)) for it in (committed, rolled_back)]
    return {
        **{path.name: path.read_bytes()[before.get(path, 0) :].decode() for path in _logs(deployment)},
        "executions": "\n".join(_executions(deployment)),
        "ledger": "\n".join(_ledger(deployment)),
        "traces": deployment.traces.text(),
        "answers": "\n".join(views),
        "refusals": "\n".join(answers),
    }


def _logs(deployment: Deployment) -> list[Path]:
    return sorted(deployment.logs.glob("*.log"))


def _roll_back_by_quotes(deployment: Deployment) -> str:
    """A saga whose every instance is refused in words that quote the whole request."""
    instances = {"aws": "RunInstances", "azure": "VirtualMachines_CreateOrUpdate", "gcp": "instances.insert"}
    urls = {cloud: f"{deployment.endpoints._asdict()[cloud]}/_simulator/faults" for cloud in instances}
    for cloud, operation in instances.items():
        fault = {"operation": operation, "fault": "quote", "times": None}
        assert requests.post(urls[cloud], json=[fault], timeout=10).ok
    try:
        request = json.dumps(document(preflight=False)).encode()
        saga = deployment.wait(deployment.api.submit(request, "application/json", str(uuid4()))["id"])
    finally:
        for url in urls.values():
            requests.delete(url, timeout=10)
    assert saga["status"] == "ROLLED_BACK"
    errors = {it["id"]: it["error"] or "" for it in saga["resources"]}
    assert "InvalidParameter: The value" in errors["web-azure"]
    assert "ssh-ed25519" not in errors["web-azure"]
    assert "InvalidParameterValue" in errors["web-aws"]
    return str(saga["id"])


def _go_through_private_clusters(deployment: Deployment) -> None:
    """A saga that signs in to a vCenter and a VMM server, and one that they do not let in."""
    private.report(deployment)
    saga_id = private.submit(deployment, private.machine("web"), private.machine("reports", "scvmm"))
    assert deployment.wait(saga_id)["status"] == "COMMITTED"
    deployment.destroy(saga_id)
    sessions, user = deployment.machine.vcenter().sessions, VCENTER_LOGIN["username"]
    accepted = sessions.passwords[user]
    sessions.passwords[user] = ("another",)
    sessions.end_all()
    try:
        private.report(deployment)
    finally:
        sessions.passwords[user] = accepted


def _refusal(deployment: Deployment, wrong: str, what: str) -> str:
    with pytest.raises(ApiProblem) as refused:
        deployment.api.submit(wrong.encode(), "application/json", f"key-{uuid4()}")
    assert refused.value.status in (400, 422), what
    return json.dumps(refused.value.problem)


def _executions(deployment: Deployment) -> Iterator[str]:
    client = deployment.client("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"]):
            for execution in page["executions"]:
                arn = execution["executionArn"]
                yield json.dumps(client.describe_execution(executionArn=arn), default=str)
    for history in deployment.machine.histories():
        yield json.dumps(history, default=str)


def _ledger(deployment: Deployment) -> Iterator[str]:
    client = deployment.client("dynamodb")
    (table,) = [name for name in client.list_tables()["TableNames"] if "Ledger" in name]
    for page in client.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            record = json.loads(item.pop("document", {"S": "{}"})["S"])
            record.pop("definition", None)  # what was asked for: kept, and encrypted
            yield json.dumps([item, record], default=_inflated)


def _inflated(value: object) -> str:
    """What a cluster reported to hold is kept deflated."""
    assert isinstance(value, bytes)
    return zlib.decompress(value).decode()


def test_all_of_it_was_looked_through(told: Mapping[str, str]) -> None:
    assert {"skysaga-api.log", "skysaga-azure-create.log", "skysaga-saga.log"} <= set(told)
    assert '"StepsFailed"' in told["skysaga-azure-create.log"]
    assert "InvalidParameter" in told["executions"]
    assert "InvalidParameter" in told["ledger"]
    assert "skysaga" in told["traces"]
    assert "user_data" in told["refusals"]


@pytest.mark.parametrize("telltale", TELLTALES)
def test_nothing_tells_it(told: Mapping[str, str], telltale: str) -> None:
    assert [where for where, text in told.items() if telltale in text and where != "refusals"] == []


def test_a_refusal_repeats_to_its_caller_no_more_than_a_mistyped_name(told: Mapping[str, str]) -> None:
    for secret in (PEM, CLOUD_INIT, TOKEN):
        assert json.dumps(secret)[1:-1] not in told["refusals"]
        assert secret.splitlines()[0][:32] not in told["refusals"].replace("#cloud-config", "")
