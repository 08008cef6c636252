"""A whole skysaga in one process and in virtual time: the real definitions and handlers, the real SDKs, three clouds.

The engine calls the handlers on its own thread, and the simulated clouds live by its clock, so a run is a function of
the request, the faults and the seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lambdas.adapters.observability import StepHandler
from lambdas.adapters.steps import Surroundings, provider_handlers
from lambdas.core.model import Resource
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.expiry import Expiry
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.request import parse_request
from lambdas.core.sagas import Sagas
from lambdas.core.steps.saga import ReleaseReason, SagaSteps
from lambdas.saga.handler import saga_handler
from local.clock import VirtualClock
from local.simulators.azure import AzureSimulatorSettings
from local.simulators.gcp import GcpTiming
from local.stepfunctions import Engine, FunctionNotFoundError, LambdaResult
from tests.contract.aws_cloud import aws_cloud
from tests.contract.azure_cloud import azure_cloud
from tests.contract.cloud import CloudUnderTest
from tests.contract.gcp_cloud import gcp_cloud
from tests.fakes.context import Context
from tests.fakes.expiry import FakeExpiry
from tests.fakes.ledger import FakeLedger
from tests.whole import whole

STATEMACHINES: Final = Path(__file__).resolve().parents[2] / "statemachines"
VERBS: Final = ("create", "observe", "delete", "check")


class EngineClock:
    """The engine's clock as the core's port."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.fromtimestamp(self._clock.now(), UTC)


Strike = Callable[[str, Mapping[str, Any]], None]


def no_strike(function: str, payload: Mapping[str, Any]) -> None:
    """Let a call happen as it should."""


@dataclass
class World:
    """One skysaga; `before` and `after` each call of a function may raise, as a worker that dies there would."""

    clock: VirtualClock
    clouds: Mapping[str, CloudUnderTest]
    engine: Engine = field(init=False)
    ledger: FakeLedger = field(init=False)
    sagas: Sagas = field(init=False)
    before: Strike = no_strike
    after: Strike = no_strike
    seed: int = 0
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    expiry: Expiry = field(default_factory=FakeExpiry)

    def __post_init__(self) -> None:
        """Put the parts together around the clock."""
        clock = EngineClock(self.clock)
        self.ledger = self.make_ledger(clock)
        self._handlers = dict(self._make_handlers(Surroundings(self.ledger, clock, Policy())))
        self.engine = Engine(
            clock=self.clock, seed=self.seed, lambda_invoke=self.invoke, on_status_change=self.on_status_change
        )
        self.release = self._deploy("release", SagaFunction="skysaga-saga")
        self.provisioning = self._deploy("provisioning", SagaFunction="skysaga-saga", ReleaseStateMachine=self.release)
        self.sagas = Sagas(self.ledger, self, clock, self.clock.advance)

    def make_ledger(self, clock: Clock) -> FakeLedger:
        """The ledger that everything shares."""
        return FakeLedger(clock)

    def definition(self, name: str) -> str:
        """A state machine as it is deployed, its substitutions still to be made."""
        return (STATEMACHINES / f"{name}.asl.json").read_text()

    def on_status_change(self, detail: dict[str, Any]) -> None:
        """The rescue rule, as EventBridge plays it: a provisioning execution that ended badly is undone."""
        if detail["stateMachineArn"] == self.provisioning and detail["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
            self.engine.start_execution(self.release, {"saga_id": detail["name"], "reason": "COMPENSATE"})

    def submit(self, document: Mapping[str, Any]) -> str:
        """Submit a request; nothing runs before `run`."""
        return self.sagas.submit(parse_request(document), "tester", f"key-{self.clock.now()}").id

    def run(self) -> None:
        """Let everything happen, however long it takes."""
        self.engine.run()

    def provision(self, document: Mapping[str, Any]) -> Snapshot:
        """Submit, run, and look."""
        saga_id = self.submit(document)
        self.run()
        return whole(self.ledger, saga_id)

    def inventory(self) -> list[dict[str, Any]]:
        """Everything that exists in any cloud, by what the clouds themselves say."""
        return [{**found, "cloud": name} for name, cloud in self.clouds.items() for found in cloud.inventory()]

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning (the core's port)."""
        self.engine.start_execution(self.provisioning, {"saga_id": saga_id}, saga_id)

    def wake(self, token: str) -> None:
        """Let a task that waits for somebody end (the core's port)."""
        document = json.dumps({"taskToken": token, "output": "{}"})
        self.engine.handle("AWSStepFunctions.SendTaskSuccess", document.encode())

    def start_release(self, saga_id: str, reason: ReleaseReason, attempt: int) -> None:
        """Start releasing (the core's port)."""
        document = {"saga_id": saga_id, "reason": str(reason)}
        self.engine.start_execution(self.release, document, f"{saga_id}-release-{attempt}")

    def invoke(self, name: str, payload: bytes) -> LambdaResult:
        """Call a function as Lambda would: an exception becomes its name and message."""
        handler = self._handlers.get(name)
        if handler is None:
            raise FunctionNotFoundError(f"Function not found: {name}")
        event = json.loads(payload)
        self.calls.append((name, event))
        try:
            self.before(name, event)
            result = handler(event, Context(name, f"request-{len(self.calls)}"))
            self.after(name, event)
        except Exception as error:
            document = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
            return LambdaResult(json.dumps(document).encode(), "Unhandled")
        return LambdaResult(json.dumps(result).encode())

    def _make_handlers(self, surroundings: Surroundings) -> Iterator[tuple[str, StepHandler]]:
        functions = {cloud: {verb: f"skysaga-{cloud}-{verb}" for verb in VERBS} for cloud in self.clouds}
        steps = SagaSteps(*surroundings, functions, self.expiry)
        yield "skysaga-saga", saga_handler(lambda: steps)
        for name, cloud in self.clouds.items():
            handlers = provider_handlers(lambda cloud=cloud: cloud.provider, lambda: surroundings)  # type: ignore[misc]  # bound per iteration
            for verb in VERBS:
                yield functions[name][verb], getattr(handlers, verb)

    def _deploy(self, name: str, **substitutions: str) -> str:
        definition = self.definition(name)
        for key, value in substitutions.items():
            definition = definition.replace(f"${{{key}}}", value)
        return self.engine.create_state_machine(f"skysaga-{name}", definition)


@contextmanager
def three_empty_clouds(
    aws: Mapping[str, float] | None = None,
    azure: AzureSimulatorSettings | None = None,
    gcp: GcpTiming | None = None,
) -> Iterator[tuple[VirtualClock, Mapping[str, CloudUnderTest]]]:
    """AWS, Azure and Google Cloud on one clock; how long each takes can be said."""
    clock = VirtualClock()
    with ExitStack() as stack:
        yield (
            clock,
            {
                "aws": stack.enter_context(aws_cloud(clock, aws)),
                "azure": stack.enter_context(azure_cloud(clock, azure)),
                "gcp": stack.enter_context(gcp_cloud(clock, gcp)),
            },
        )


def statuses(resources: tuple[Resource, ...]) -> dict[str, str]:
    """Each resource's status by its id."""
    return {it.id: it.status for it in resources}
