"""What a cold start of each function takes, beside an EC2 client of boto3 in a fresh interpreter.

A function runs from its own bundles, bytecode included, and in the environment that it is deployed with, as far as
that decides what is loaded. Its first calls are answered by a stub: they end where a saga, a target or a source is not
there, after everything was made that they are made with. The peer is boto3 as it is installed: what anybody pays who
writes `boto3.client("ec2")`. Importing is one thread that computes, on Lambda, too: processor time is what it takes,
whatever else this machine does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.figure import Figure, cheaper
from infra.packaging.bundles import Bundles, build_bundles
from infra.packaging.target import host
from local.worker_environment import worker_environment

ROUNDS: Final = 7

_SAGA: Final = {"saga_id": "00000000000000000000000000"}
_LOOK: Final = {**_SAGA, "resource_id": "web", "goal": "READY"}
_RESOURCE: Final = {"id": "web", "kind": "instance"}
_AWS: Final = {"provider": "aws", "region": "eu-west-1", "spec": {"image": "ami-0abc12345678", "size": "t3.micro"}}
_AZURE: Final = {
    "provider": "azure",
    "region": "westeurope",
    "spec": {
        "image": "Canonical:ubuntu-24_04-lts:server:latest",
        "size": "Standard_B1s",
        "resource_group": "shop",
        "subnet": "default",
        "admin_username": "ops",
        "ssh_public_key": "ssh-ed25519 AAAA",
    },
}
_GCP: Final = {
    "provider": "gcp",
    "zone": "europe-west1-b",
    "spec": {"image": "projects/debian-cloud/global/images/family/debian-12", "size": "e2-small", "network": "default"},
}
_COLLECT: Final = {"source": "s", "window": "2026-01-01T00", "token": "t", "started_at": "2026-01-01T00:00:00Z"}
_API_CALL: Final = {
    "version": "2.0",
    "routeKey": "GET /sagas/{id}",
    "rawPath": "/sagas/none",
    "rawQueryString": "",
    "headers": {},
    "pathParameters": {"id": "none"},
    "requestContext": {
        "http": {"method": "GET", "path": "/sagas/none"},
        "stage": "$default",
        "requestId": "r",
        "authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/somebody"}},
    },
    "isBase64Encoded": False,
}
_MESSAGE: Final = {
    "messageId": "m",
    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:skysaga-webhook-none",
    "receiptHandle": "r",
    "attributes": {"ApproximateReceiveCount": "1"},
    "body": json.dumps({"detail": {"saga": "s"}}),
}


class Start(NamedTuple):
    """A function's requirements, its first calls by the handler's name, and how many times the peer it may take.

    The budget is for each: for the import, for the first calls, and for the memory that it rests in once imported.
    """

    requirements: str
    calls: Mapping[str, Mapping[str, Any]]
    budget: float


def _provider(cloud: str, resource: Mapping[str, Any], budget: float) -> Start:
    plan = {"cloud": cloud, "resources": [{**_RESOURCE, **resource}]}
    return Start(cloud, {"observe": _LOOK, "check": plan}, budget)


STARTS: Final[Mapping[str, Start]] = {
    "lambdas.announce.handler": Start(".", {"handler": {"Records": []}}, 1.2),
    "lambdas.api.handler": Start(".", {"handler": _API_CALL}, 1.0),
    "lambdas.aws.collector": Start("aws", {"handler": _COLLECT}, 1.2),
    "lambdas.aws.handler": _provider("aws", _AWS, 1.2),
    "lambdas.azure.collector": Start("azure", {"handler": _COLLECT}, 1.4),
    "lambdas.azure.handler": _provider("azure", _AZURE, 1.4),
    "lambdas.billing.handler": Start(".", {"handler": {"step": "plan", "window": "2026-01-01T00"}}, 1.2),
    "lambdas.billing.publisher": Start("billing", {"handler": {"source": "s", "window": "2026-01-01T00"}}, 1.2),
    "lambdas.billing.rate_card": Start(".", {"handler": _COLLECT}, 1.2),
    "lambdas.gauges.handler": Start(".", {"handler": {}}, 1.2),
    "lambdas.gcp.collector": Start("gcp", {"handler": _COLLECT}, 1.8),
    "lambdas.gcp.handler": _provider("gcp", _GCP, 1.8),
    "lambdas.placement.handler": Start(".", {"observe": _LOOK}, 1.2),
    "lambdas.saga.handler": Start(".", {"handler": {**_SAGA, "step": "begin"}}, 1.2),
    "lambdas.scvmm.handler": Start("scvmm", {"report": {}}, 1.4),
    "lambdas.sweep.handler": Start(".", {"handler": {"step": "look", "input": {"dry_run": True}}}, 1.2),
    "lambdas.vsphere.handler": Start("vsphere", {"report": {}}, 1.2),
    "lambdas.webhook.handler": Start(".", {"handler": {"Records": [_MESSAGE]}}, 1.2),
}
"""By module."""

PEER: Final = 'boto3.client("ec2")'

_DEPLOYED: Final = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "skysaga",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    "POWERTOOLS_METRICS_NAMESPACE": "skysaga",
    "POWERTOOLS_SERVICE_NAME": "skysaga",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    "LEDGER_TABLE": "ledger",
    "GRANTS_PARAMETER": "/grants",
    "TARGET_PARAMETERS": json.dumps({cloud: f"/targets/{cloud}" for cloud in ("aws", "azure", "gcp")}),
    "PROVIDER_FUNCTIONS": "{}",
    "CHECK_FUNCTIONS": "{}",
    "SWEEP_FUNCTIONS": "{}",
    "COLLECTORS": "{}",
    "WEBHOOKS": "{}",
    "CLUSTERS": '["berlin"]',
    "EXPIRY_SCHEDULE_GROUP": "expiry",
    "EXPIRY_ROLE": "role",
    "PROVISIONING_STATE_MACHINE": "provisioning",
    "RELEASE_STATE_MACHINE": "release",
    "SWEEP_STATE_MACHINE": "sweep",
    "BILLING_STATE_MACHINE": "billing",
    "SOURCES_PARAMETER": "/sources",
    "BUDGETS_PARAMETER": "/budgets",
    "WINDOWS_TABLE": "windows",
    "COSTS_BUCKET": "costs",
    "COSTS_WORKGROUP": "costs",
    "COSTS_DATABASE": "costs",
    "COSTS_TABLE": "costs",
}

_TIMED: Final = """
from time import process_time

def memory():
    with open("/proc/self/smaps_rollup") as kept:
        return next(int(line.split()[1]) for line in kept if line.startswith("Pss:")) / 1024

began = process_time()
{made}
imported, resting = process_time() - began, memory()
began = process_time()
{called}
answered = process_time() - began
import json
print()
print(json.dumps([imported, answered, resting, memory(), ended]))
"""
_CALLED: Final = """
class Context:
    aws_request_id = function_name = "one"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:one"
    get_remaining_time_in_millis = staticmethod(lambda: 30_000)

ended = []
for name, event in {calls!r}.items():
    try:
        getattr(started, name)(event, Context())
        ended.append("answered")
    except Exception as error:
        ended.append(type(error).__name__)
"""


class Taken(NamedTuple):
    """What one cold start took: seconds of processor time, and MB once imported and once it had answered.

    `ended` is how each of its first calls did.
    """

    imported: float
    first: float
    resting: float
    warm: float
    ended: list[str]


class Laboratory:
    """Cold starts of what is deployed, each in an interpreter of its own with nothing else on the path."""

    def __init__(self, bundles: Bundles, unpacked: Path, environment: Mapping[str, str]) -> None:
        self._bundles = bundles
        self._unpacked = unpacked
        self._environment = environment

    def start(self, module: str) -> Taken:
        """Start a function, and make its first calls."""
        start = STARTS[module]
        code = self._unpacked / self._bundles.code.stem
        layer = self._unpacked / self._bundles.dependencies[start.requirements].stem / "python"
        made, called = f"import {module} as started", _CALLED.format(calls=dict(start.calls))
        return self._fresh(_TIMED.format(made=made, called=called), [code, layer])

    def peer(self) -> Taken:
        """Make the peer's client: it is imported and made at once, so there is no first call."""
        installed = importlib.util.find_spec("boto3")
        if installed is None or installed.origin is None:
            raise ModuleNotFoundError("boto3 is not installed")
        program = _TIMED.format(made=f"import boto3; {PEER}", called="ended = []")
        return self._fresh(program, [Path(installed.origin).parents[1]])

    def _fresh(self, program: str, path: Sequence[Path]) -> Taken:
        environment = {
            **self._environment,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "LAMBDA_TASK_ROOT": str(path[0]),
        }
        command = [sys.executable, "-S", "-P", "-c", program]
        ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603 - our own
        return Taken(*json.loads(ran.stdout.splitlines()[-1]))


def unpack(bundles: Bundles, folder: Path) -> None:
    """Unpack every bundle as Lambda would: the code, and beside it a folder for each layer."""
    for bundle in {bundles.code, *bundles.dependencies.values()}:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder / bundle.stem)


@contextmanager
def laboratory(bundles: Bundles, unpacked: Path) -> Iterator[Laboratory]:
    """Have the stub answer as long as the context lasts; `unpacked` is where the bundles are."""
    with tempfile.TemporaryDirectory() as home, _stub() as url:
        clouds = worker_environment(url, url, url, Path(home, "google.json"))
        yield Laboratory(bundles, unpacked, {**_DEPLOYED, **clouds, "HOME": home})


def figures() -> list[Figure]:
    """What each function takes to be imported, to answer first, and of memory, each beside the peer."""
    bundles = build_bundles(host())
    with tempfile.TemporaryDirectory() as name:
        unpack(bundles, Path(name))
        with laboratory(bundles, Path(name)) as starts:
            taken = rounds(starts, STARTS, ROUNDS + 1)
    found: list[Figure] = []
    for name, each in taken.items():
        it = Beside(each[1:])  # at first, the files are not in memory yet
        budget = STARTS[name].budget
        method = f"median of {ROUNDS} fresh interpreters, each right after the peer's"
        seconds = f"processor time, {method}"
        found += [
            cheaper(f"import of {name}", it.imports, "ms", PEER, budget, seconds),
            cheaper(f"first call of {name}", it.first_calls, "ms", PEER, budget, seconds),
            cheaper(f"memory at rest of {name}", it.resting, "MB", PEER, budget, f"PSS once imported, {method}"),
            cheaper(f"memory of {name} after its first call", it.warm, "MB", PEER, None, f"PSS, {method}"),
        ]
    return found


def rounds(starts: Laboratory, names: Iterable[str], count: int) -> dict[str, list[tuple[Taken, Taken]]]:
    """What each of some functions took, with what the peer took right before it, in `count` rounds.

    A machine's speed may change by half from one second to the next: only what follows each other is compared.
    """
    taken: dict[str, list[tuple[Taken, Taken]]] = {}
    for _ in range(count):
        for name in names:
            peer = starts.peer()
            taken.setdefault(name, []).append((starts.start(name), peer))
    return taken


class Beside:
    """Starts of a function beside the peer's, figure by figure: the function's and the peer's of each pair.

    A first call is set beside the peer's import, which makes its client: it has no call of its own.
    """

    def __init__(self, taken: Sequence[tuple[Taken, Taken]]) -> None:
        self.imports = [(it.imported * 1000, peer.imported * 1000) for it, peer in taken]
        self.first_calls = [(it.first * 1000, peer.imported * 1000) for it, peer in taken]
        self.resting = [(it.resting, peer.resting) for it, peer in taken]
        self.warm = [(it.warm, peer.resting) for it, peer in taken]


class _Stub(BaseHTTPRequestHandler):
    """Has tokens for everybody and parameters that hold nothing, no item in any table, and knows of nothing else."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        found: dict[str, Any] | None = None
        if self.path.partition("?")[0] in ("/_token", "/_identity/token"):
            found = {"access_token": "t", "expires_in": 3600, "expires_on": "4102444800", "token_type": "Bearer"}
        elif action == "GetParameters":
            found = {"Parameters": [{"Name": name, "Value": "{}"} for name in json.loads(asked)["Names"]]}
        elif action in ("BatchGetItem", "GetItem", "Query", "TransactGetItems"):
            found = _nothing(action, json.loads(asked))
        body = json.dumps({} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - by these names the server looks for them

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _nothing(action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    if action == "TransactGetItems":
        return {"Responses": [{} for _ in asked["TransactItems"]]}
    return {"Items": [], "Count": 0, "ScannedCount": 0} if action == "Query" else {}


@contextmanager
def _stub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
