"""One machine that holds everything: the AWS account with what is deployed in it, and the clouds it provisions on.

What runs is the synthesized template, deployed into the local CloudFormation. Functions are told from outside, by
environment variables that their SDKs read themselves, where the clouds are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from botocore.credentials import Credentials

from cli.console.server import ConsoleServer
from cli.console.upstream import Upstream
from cli.endpoint import Deployment
from local.assembly import ANOTHER_ACCOUNT_ID, PROJECT, STATE, SUBSCRIPTION, synthesize
from local.athena import Athena
from local.aws.account import ACCOUNT_ID, create_app
from local.aws.clients import create_client
from local.aws.deployment import deploy
from local.aws.preload import preload
from local.billing import history, point_sources
from local.clock import WallClock
from local.elsewhere import Elsewhere, FunctionsElsewhere, StepFunctionsElsewhere
from local.endpoint import Endpoint
from local.event_pump import EventPump
from local.event_pump.bus import Bus
from local.event_pump.deployed import Target
from local.event_pump.moto_source import MotoEventSource
from local.event_pump.targets import LocalTargets
from local.event_pump.watching import Watching
from local.grants import grant_operator
from local.heap import give_back_unused, keep_for_good
from local.http_api.front import HttpApis
from local.http_api.moto_source import MotoHttpApiSource
from local.http_server import serve
from local.lambda_runtime.errors import InvokeError
from local.lambda_runtime.moto_source import MotoFunctionSource
from local.lambda_runtime.runtime import LambdaRuntime
from local.later import Later, LaterApplication
from local.private_clouds import create_scvmm, create_vsphere, point_clusters, put_logins
from local.queues import QueuePolling
from local.queues.invoking import CallsInThreads
from local.queues.moto_source import MotoQueues
from local.redelivery import Redelivery, RepeatingCalls, RepeatingStarts, RepeatingTargets
from local.simulators import azure, gcp
from local.simulators.aws_billing import CostExplorerSimulator
from local.simulators.bill import Bill
from local.simulators.faults import Faults
from local.simulators.gcp.bigquery import BigQuerySimulator
from local.simulators.meter import Meter, Metering, metered
from local.stepfunctions import Endpoints as EngineEndpoints
from local.stepfunctions import Engine, LambdaError, LambdaResult
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.execution import Execution
from local.streams import StreamPolling
from local.streams.moto_source import MotoStreams
from local.timings import QUICK, Timings
from local.warming import Warming
from local.worker_environment import worker_environment

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from mypy_boto3_lambda import LambdaClient

REGION: Final = "us-east-1"
CREDENTIALS: Final = {"local": "local"}
OPERATOR: Final = f"arn:aws:iam::{ACCOUNT_ID}:user/local"
GUEST: Final = {"guest": "guest"}
"""Another caller of the API, to be kept from what is the first one's."""

_API_STACK: Final = "SkysagaApi"
_NEEDED_BY_SAGAS: Final = ("SkysagaSaga", _API_STACK)
_MORE_TO_WARM: Final = 2
"""So many more functions start at a time once nothing is deployed any more, which keeps a processor busy."""

ENDPOINTS_FILE: Final = STATE / "endpoints.json"

_NEEDED_IN_ORDER: Final = ("saga", "api", "check", "create", "observe", "delete")

_NOBODY_WAITS_FOR: Final = ("announce", "billing", "costs", "gauges", "publish", "rate-card", "report", "start")
_YIELDING: Final = 15
"""What collects costs and the like starts with everything else, and would take the cores from the first saga."""

_FIRST_SAGA_SECONDS: Final = 6.0
"""So much later it starts, which leaves the cores to whoever has waited for the machine."""


class Endpoints(NamedTuple):
    """Where everything answers; the documented content of `.local/endpoints.json`."""

    api: str
    console: str
    stepfunctions: str
    aws: str
    azure: str
    gcp: str
    vsphere: str
    scvmm: str


class Ports(NamedTuple):
    """The ports to listen on; 0 takes a free one."""

    api: int = 0
    console: int = 0
    aws: int = 0
    azure: int = 0
    gcp: int = 0
    vsphere: int = 0
    scvmm: int = 0


ANY_PORTS: Final = Ports()
EVERYTHING_HERE: Final = Elsewhere()


class Machine:
    """Everything that runs on one machine; nothing is left behind after `close`.

    What runs `elsewhere` is not started here, and an engine there tells of no status changes. `state` holds what
    functions log and who they are; `wait` lets the time of a gradual deployment pass; `timings` are the clouds';
    `redelivery` and `invocation_faults` are there to be armed. Raises OSError for a port that is taken.
    """

    def __init__(
        self,
        ports: Ports,
        elsewhere: Elsewhere = EVERYTHING_HERE,
        state: Path = STATE,
        wait: Callable[[float], None] = time.sleep,
        timings: Timings = QUICK,
    ) -> None:
        clock = WallClock()
        self._running = ExitStack()
        self._ports = ports
        self.environment: dict[str, str] = {}
        self._clients: dict[str, Any] = {}
        self.functions = MotoFunctionSource(ACCOUNT_ID, REGION)
        self.invocation_faults = Faults()
        self.runtime = self._runtime(elsewhere.functions, clock, state / "logs")
        self._running.callback(self.runtime.close)
        self._warming = Warming(self.runtime, lambda: saga_functions(self.aws))
        self._running.callback(self._warming.close)
        self._apis = HttpApis(MotoHttpApiSource(ACCOUNT_ID, REGION), self.runtime.invoke, CREDENTIALS | GUEST)
        self._running.callback(self._apis.close)
        # The engine keeps the pump's time even when executions run elsewhere.
        self._engine = Engine(clock=clock, lambda_invoke=self._invoke, on_status_change=self._status_changed)
        self._running.callback(self._engine.close)
        self.redelivery = Redelivery(self._engine)
        stepfunctions = StepFunctionsElsewhere(elsewhere.stepfunctions) if elsewhere.stepfunctions else self._engine
        targets = LocalTargets(stepfunctions.start_execution, self._invoke_later, self._client)
        self._pump = EventPump(
            self._engine,
            MotoEventSource(ACCOUNT_ID, REGION),
            RepeatingTargets(targets, self.redelivery),
            account=ACCOUNT_ID,
            region=REGION,
        )
        self.bill = Bill()
        self.azure = self._serve(azure.create_app(clock, time.sleep, timings.azure, self.bill), ports.azure, "azure")
        self.gcp = self._serve(gcp.GcpSimulator(clock, time.sleep, timings.gcp), ports.gcp, "gcp")
        self.bigquery = self._serve(BigQuerySimulator(clock, time.sleep, self.bill, timings.bigquery), 0, "bigquery")
        self.vcenter = Later(partial(create_vsphere, clock, time.sleep))
        self.vsphere = self._serve(LaterApplication(self.vcenter), ports.vsphere, "vsphere")
        vmm = Later(partial(create_scvmm, clock, time.sleep))
        self.scvmm = self._serve(LaterApplication(vmm), ports.scvmm, "scvmm")
        calls = RepeatingCalls(CallsInThreads(self.runtime.invoke), self.redelivery)
        self._polling = QueuePolling(self._engine, MotoQueues(ACCOUNT_ID, REGION), calls)
        self._streaming = StreamPolling(
            self._engine,
            MotoStreams(ACCOUNT_ID, REGION),
            calls,
            lambda arn, text: targets.call(Target(arn), text),
        )
        explorer = CostExplorerSimulator(clock, time.sleep, self.bill, (ACCOUNT_ID, ANOTHER_ACCOUNT_ID))
        app = create_app(clock, ec2_seconds=timings.aws, wait=wait, cost_explorer=explorer)
        starts = RepeatingStarts(stepfunctions, self.redelivery)
        athena = Athena(clock, self._client)
        self._running.callback(athena.close)
        account = Endpoint(starts, self.runtime, self._watched(app), self._apis, athena)
        self.aws = self._serve(account, ports.aws, "aws")
        meter = Meter(clock, self.bill, metered(self.aws, self.azure, self.gcp, ACCOUNT_ID))
        self._running.callback(Metering(meter).close)
        google_key = state / f"google-credentials-{urlsplit(self.gcp).port}.json"  # there may be another machine
        self._running.callback(google_key.unlink, missing_ok=True)
        self._engine.connect(EngineEndpoints(self.aws))
        self.environment |= worker_environment(self.aws, self.azure, self.gcp, google_key)
        self.environment["GOOGLE_BIGQUERY_ENDPOINT"] = self.bigquery
        put_logins(self.aws, REGION)
        accounts = {"aws": ACCOUNT_ID, "azure": SUBSCRIPTION, "gcp": PROJECT}
        self.bill.add(list(history(datetime.now(UTC), accounts)))

    def deploy(self, assembly: Path) -> Endpoints:
        """Deploy the stacks of a cloud assembly and run them.

        Raises DeploymentFailed, or NotSupported for a rule, schedule or event source mapping that cannot be played.
        """
        outputs = deploy(
            assembly,
            self.aws,
            cache_dir=STATE / "assets",
            region=REGION,
            account_id=ACCOUNT_ID,
            stands=lambda stack: self._warming.go_on() if stack in _NEEDED_BY_SAGAS else None,
        )
        return self.run(outputs[_API_STACK]["ApiUrl"])

    def run(self, api_url: str) -> Endpoints:
        """Play what is deployed, however it came there, and serve the API that CloudFormation says is at `api_url`."""
        api_id = urlsplit(api_url).netloc.partition(".")[0]
        point_clusters(self.aws, REGION, {"vsphere": self.vsphere, "scvmm": self.scvmm})
        point_sources(self.aws, REGION, datetime.now(UTC))
        self._pump.start()
        self._polling.start()
        self._streaming.start()
        for _ in range(_MORE_TO_WARM):
            self._warming.go_on()
        self.report_clusters()
        api = self._serve(self._apis.application(api_id), self._ports.api, "api")
        return Endpoints(
            api=api,
            console=self._console(api),
            stepfunctions=self.aws,
            aws=self.aws,
            azure=self.azure,
            gcp=self.gcp,
            vsphere=self.vsphere,
            scvmm=self.scvmm,
        )

    def report_clusters(self) -> None:
        """Let private clusters report soon: their schedule comes round for the first time in a minute.

        Where no function can be called yet, since they are elsewhere, it does not matter.
        """
        reporting = [name for name in _function_names(self._client("lambda")) if name.endswith("-report")]
        self._warming.afterwards(lambda: self._invoke_later_if_there(*reporting), _FIRST_SAGA_SECONDS)

    def collect_costs(self) -> None:
        """Collect costs for the hour that has begun, soon: the schedule comes round for the first time in an hour."""
        self._warming.afterwards(lambda: self._invoke_later_if_there("skysaga-billing-start"), _FIRST_SAGA_SECONDS)

    def settle(self) -> None:
        """Have the process of its own that this machine is in keep for good, soon, what it has begun with."""
        self._warming.afterwards(keep_for_good, _FIRST_SAGA_SECONDS)

    def close(self) -> None:
        """Stop everything, the last started first."""
        self._running.close()

    def _runtime(self, url: str | None, clock: WallClock, logs: Path) -> LambdaRuntime | FunctionsElsewhere:
        if url is not None:
            return FunctionsElsewhere(url)
        return LambdaRuntime(
            self.functions,
            clock,
            STATE,
            logs,
            self.environment,
            faults=self.invocation_faults,
            niceness=lambda name: _YIELDING if name.endswith(_NOBODY_WAITS_FOR) else 0,
        )

    def _serve(self, app: WSGIApplication, port: int, name: str) -> str:
        return self._running.enter_context(serve(app, port=port, name=name)).url

    def _console(self, api: str) -> str:
        """The web console, for whoever is on this machine: the API's credentials are no secret here."""
        ((access_key, secret_key),) = CREDENTIALS.items()
        upstream = Upstream(Deployment(api, Credentials(access_key, secret_key), REGION))
        return self._running.enter_context(ConsoleServer(upstream, self._ports.console)).url

    def _status_changed(self, detail: dict[str, Json]) -> None:
        self._pump.status_changed(detail)

    def _invoke_later(self, function: str, text: str) -> None:
        self.runtime.invoke(function, text.encode(), invocation_type="Event")

    def _invoke_later_if_there(self, *functions: str) -> None:
        for function in functions:
            with suppress(InvokeError):
                self._invoke_later(function, "{}")

    def _watched(self, account: WSGIApplication) -> WSGIApplication:
        """The account, with whoever acts on what changes in it told so."""
        account = Watching(account, ("events", "scheduler"), self._pump.refresh)
        account = Watching(account, ("lambda", "sqs", "sns", "events"), self._polling.wake)
        account = Watching(account, ("dynamodb", "lambda"), self._streaming.wake)
        return Bus(account, self._pump.put)

    def _client(self, service: str) -> Any:
        """The machine's own client of a service: making one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = create_client(service, self.aws, REGION)
        return self._clients[service]

    def histories(self) -> Iterator[list[dict[str, Json]]]:
        """The events of every execution that runs here, of Express ones, too, of which the API tells none."""
        for execution in self.executions():
            yield self._engine.history(execution.arn)

    def executions(self) -> list[Execution]:
        """Every execution that runs here or has ended, Express ones included."""
        return list(self._engine.core.executions)

    def _invoke(self, function: str, payload: bytes) -> LambdaResult:
        try:
            result = self.runtime.invoke(function, payload)
        except InvokeError as error:
            raise LambdaError(error.code, str(error), error.status) from error
        return LambdaResult(result.payload, result.function_error)


def saga_functions(endpoint: str) -> list[str]:
    """The functions of a saga in the order in which one needs them, each with its published version."""
    pages = create_client("lambda", endpoint, REGION).get_paginator("list_functions").paginate(FunctionVersion="ALL")
    newest = {it["FunctionName"]: it["Version"] for page in pages for it in page["Functions"]}
    public = [name for name in newest if not name.startswith("skysaga-placement-")]
    needed = [name for verb in _NEEDED_IN_ORDER for name in public if name.endswith(f"-{verb}")]
    return [f"{name}:{newest[name]}" for name in needed]


def _function_names(client: LambdaClient) -> list[str]:
    pages = client.get_paginator("list_functions").paginate()
    return [function["FunctionName"] for page in pages for function in page["Functions"]]


@contextmanager
def one_machine(report: Callable[[str], None], ports: Ports = ANY_PORTS, *, costs: bool = False) -> Iterator[Endpoints]:
    """Everything deployed and running as long as the context lasts; `report` is told what is being done.

    `costs` has them collected once it runs, and lets the first caller see all of them, and run sweeps. Raises
    SynthesisFailed, DeploymentFailed, or OSError for a port that is taken.
    """
    report("synthesizing the stacks")
    give_back_unused()
    Thread(target=preload, name="preload", daemon=True).start()
    assembly = synthesize()
    report("starting the clouds")
    machine = Machine(ports)
    try:
        report("deploying the stacks")
        endpoints = machine.deploy(assembly)
        machine.settle()
        with _announced(endpoints):
            if costs:
                grant_operator(endpoints.aws, REGION, OPERATOR)
                machine.collect_costs()
                report("collecting the costs of two days: in half a minute `skysaga costs` shows them")
            yield endpoints
    finally:
        machine.close()


@contextmanager
def _announced(endpoints: Endpoints) -> Iterator[None]:
    ENDPOINTS_FILE.write_text(json.dumps(endpoints._asdict(), indent=2) + "\n")
    try:
        yield
    finally:
        ENDPOINTS_FILE.unlink(missing_ok=True)
