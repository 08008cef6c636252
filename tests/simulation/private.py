"""Private clusters in virtual time: the real definitions, steps and worker; queues, workers and clusters in trouble.

    python -m tests.simulation.private --runs 1000 --first 1

Workers run on threads of which one runs at a time, and cross each other at every write to the ledger and every call
of a cluster. They are killed, drained, and given the same task twice; tasks get lost; answers do, too; clones show
themselves late; clusters have no room after all; sagas are cancelled and executions aborted. A run is a function of its
seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final, cast

from lambdas.adapters.steps import CloudSteps, step_handlers
from lambdas.core.changes import Write
from lambdas.core.clusters import Amounts
from lambdas.core.errors import NotPossible, RetryableError
from lambdas.core.model import Intent, Shard
from lambdas.core.policy import Policy
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.ports.provider import Observation
from lambdas.core.request import parse_request
from lambdas.core.sagas import Sagas
from lambdas.core.states import ENDINGS, ResourceStatus, SagaStatus
from lambdas.core.steps.placing import PlacementPreflight, PlacingSteps
from lambdas.core.steps.saga import SagaSteps
from lambdas.core.steps.working import WorkSteps
from lambdas.saga.handler import saga_handler
from lambdas.worker.worker import Worker
from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from tests.fakes.clusters import FakeClusters
from tests.fakes.context import Context
from tests.fakes.documents import request_document, vsphere_instance
from tests.fakes.expiry import FakeExpiry
from tests.fakes.ledger import FakeLedger
from tests.fakes.private_provider import FakePrivateProvider
from tests.fakes.reports import cluster_settings
from tests.simulation.workers import Worker as Thread
from tests.simulation.workers import Workers
from tests.simulation.world import STATEMACHINES, EngineClock
from tests.whole import whole

CLUSTERS: Final = ("alpha", "beta", "gamma")
HIDDEN: Final = 90
HANDS: Final = 2
VERBS: Final = ("create", "observe", "delete", "check")
REPORT_EVERY: Final = 60
LONGEST: Final = 6 * 3600


@dataclass(frozen=True)
class Trouble:
    """How likely each upset is: per task for those of queues and workers, per call for those of clusters."""

    killed: float = 0.25
    lost: float = 0.08
    repeated: float = 0.15
    drained: float = 0.02
    refused: float = 0.08
    unanswered: float = 0.12
    full: float = 0.15
    cancelled: float = 0.15
    aborted: float = 0.1


QUIET: Final = Trouble(0, 0, 0, 0, 0, 0, 0, 0, 0)


class _Hopping:
    """What a worker pauses at: others go on meanwhile."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.workers: Workers | None = None

    def hop(self, clock: VirtualClock) -> None:
        if self.workers is not None:
            self.workers.sleep_until(clock.now() + self.random.choice([0.01, 0.05, 0.3, 2.0]))


class HoppingLedger(FakeLedger):
    """A ledger whose writes take time in a worker, so that somebody else may be faster."""

    def __init__(self, clock: EngineClock, virtual: VirtualClock, hops: _Hopping) -> None:
        super().__init__(clock)
        self._virtual = virtual
        self._hops = hops

    def _commit(self, write: Write, bounds: Amounts | None = None, shards: Sequence[Shard] = ()) -> bool:
        self._hops.hop(self._virtual)
        return super()._commit(write, bounds, shards)


class TroubledClusters(FakePrivateProvider):
    """Clusters whose calls take time, are refused or go unanswered, and that may have no room to start a machine."""

    def __init__(self, clock: EngineClock, virtual: VirtualClock, hops: _Hopping, trouble: Trouble) -> None:
        super().__init__(clock, settling_seconds=120, repeat_seconds=120)
        self._virtual = virtual
        self._hops = hops
        self._trouble = trouble

    def create(self, intent: Intent, part: str) -> str:
        """Clone or start a machine; what is asked for may show itself a while later."""
        self.seconds_to_show = self._hops.random.choice([0, 0, 3, 40, 100])
        self._refuse()
        handle = super().create(intent, part)
        self._hops.hop(self._virtual)
        if self._hops.random.random() < self._trouble.unanswered:
            raise RetryableError("ReadTimeout", "nobody knows whether the call happened")
        return handle

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look at a part; one that was just asked for is not there yet."""
        self._refuse()
        if not self._visible(intent):
            return Observation(ready=False)
        return super().observe(intent, part)

    def find(self, intent: Intent) -> list[str]:
        """Look for what is there."""
        self._refuse()
        return super().find(intent)

    def delete(self, intent: Intent) -> None:
        """Remove what is there."""
        self._refuse()
        super().delete(intent)

    def _refuse(self) -> None:
        self._hops.hop(self._virtual)
        if self._hops.random.random() < self._trouble.refused:
            raise RetryableError("ServiceUnavailable", "the cluster's server refused for now")


@dataclass
class Message:
    """A task in a queue: from when on anybody may take it, and how often somebody did."""

    body: str
    visible_at: float
    received: int = 0
    gone: bool = False


class ClusterQueue:
    """The queue of a cluster and its worker's hands."""

    def __init__(self, world: PrivateWorld, cluster: str) -> None:
        self._world = world
        self._cluster = cluster
        self._messages: list[Message] = []
        self._busy = 0

    def send(self, body: str) -> None:
        """Take a task in, or lose it; it may be there twice."""
        trouble, random = self._world.trouble, self._world.random
        if random.random() < trouble.lost:
            return
        times = 2 if random.random() < trouble.repeated else 1
        for number in range(times):
            moment = self._world.clock.now() + number * random.choice([0.0, 1.0, 20.0])
            self._add(Message(body, moment))

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._show_at(message, message.visible_at)

    def _show_at(self, message: Message, moment: float) -> None:
        message.visible_at = moment
        self._world.engine.call_at(moment, self._dispatch)

    def _dispatch(self) -> None:
        now = self._world.clock.now()
        for message in [it for it in self._messages if not it.gone and it.visible_at <= now]:
            if self._busy >= HANDS:
                return
            message.received += 1
            if message.received > 5:  # as the redrive policy has it
                message.gone = True
                continue
            self._busy += 1
            self._show_at(message, now + HIDDEN)
            self._world.start(self._cluster, message, self._ended)

    def keep(self, message: Message) -> None:
        """Hide a message for longer."""
        if not message.gone:
            self._show_at(message, self._world.clock.now() + HIDDEN)

    def _ended(self, message: Message, thread: Thread) -> None:
        self._busy -= 1
        if not thread.killed and thread.outcome is not None:
            message.gone = True
        self._dispatch()


class EngineTasks:
    """The tasks that the engine waits for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def succeed(self, token: str, result: Mapping[str, Any]) -> None:
        """End a task."""
        self._send("SendTaskSuccess", taskToken=token, output=json.dumps(result))

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a task with an error."""
        self._send("SendTaskFailure", taskToken=token, error=error, cause=cause)

    def beat(self, token: str) -> bool:
        """Say that somebody is at work."""
        return self._send("SendTaskHeartbeat", taskToken=token)

    def _send(self, operation: str, **request: str) -> bool:
        status, _ = self._engine.handle(f"AWSStepFunctions.{operation}", json.dumps(request).encode())
        return status == 200


class PrivateWorld:
    """One skysaga with private clusters only."""

    def __init__(self, seed: int, trouble: Trouble) -> None:
        self.random = Random(seed)  # noqa: S311 -- a run must repeat
        self.trouble = trouble
        self.clock = VirtualClock()
        core_clock = EngineClock(self.clock)
        hops = _Hopping(self.random)
        self.ledger = HoppingLedger(core_clock, self.clock, hops)
        self.clusters = FakeClusters(self.ledger)
        self.provider = TroubledClusters(core_clock, self.clock, hops, trouble)
        self.provider.one_server = seed % 2 == 0
        self._handlers = self._make_handlers(core_clock)
        self.engine = Engine(
            clock=self.clock, seed=seed, lambda_invoke=self._invoke, on_status_change=self._status_changed
        )
        self.workers = hops.workers = Workers(self.engine)
        self.engine.calls.integrate("sqs", self)
        self._queues = {cluster: ClusterQueue(self, cluster) for cluster in CLUSTERS}
        self._worker = Worker(
            WorkSteps(self.ledger, self.provider, core_clock, Policy(), CLUSTERS), EngineTasks(self.engine)
        )
        self.release = self._deploy("release", SagaFunction="saga")
        self.provisioning = self._deploy("provisioning", SagaFunction="saga", ReleaseStateMachine=self.release)
        self.sagas = Sagas(self.ledger, cast(Any, self), core_clock, self.clock.advance)
        self._most = self.clock.now() + LONGEST
        self._report()

    def start(self, cluster: str, message: Message, ended: Any) -> None:
        """Give a task to one of a cluster's hands; it may be killed at any moment of the next minutes."""
        queue = self._queues[cluster]
        thread = Thread(f"{cluster}-{message.received}", self.clock.now())

        def work() -> Outcome:
            self._worker.do(
                message.body,
                Context("work", "request"),
                keep=lambda: queue.keep(message),
                over=lambda: self.random.random() < self.trouble.drained,
                wait=lambda seconds: self.workers.sleep_until(self.clock.now() + seconds),
            )
            return Outcome("succeeded")

        if self.random.random() < self.trouble.killed:
            moment = self.clock.now() + self.random.choice([0.02, 0.3, 1.0, 5.0, 30.0, 200.0])
            self.engine.call_at(moment, lambda: self.workers.kill(thread))
        self.workers.start(thread, work, partial(ended, message))

    def perform(self, request: TaskRequest) -> Outcome:
        """Send a message to a queue (the engine's integration)."""
        parameters = cast(dict[str, Any], request.parameters)
        cluster = str(parameters["QueueUrl"]).rpartition("skysaga-cluster-")[2]
        self._queues[cluster].send(json.dumps(parameters["MessageBody"]))
        return Outcome("succeeded", output="{}")

    def run(self, document: Mapping[str, Any]) -> Snapshot:
        """Submit a request and let everything happen; the snapshot at the end."""
        saga_id = self.sagas.submit(parse_request(document), "tester", "key").id
        if self.random.random() < self.trouble.cancelled:
            self._later(lambda: self._cancel(saga_id))
        if self.random.random() < self.trouble.aborted:
            self._later(lambda: self._abort(saga_id))
        if self.random.random() < self.trouble.full:
            full = set(self.random.sample(CLUSTERS, self.random.choice([1, 2, 3])))
            self._later(lambda: self.provider.full.update(full))
        self.engine.run_until(self._most)
        return whole(self.ledger, saga_id)

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning (the core's port)."""
        self.engine.start_execution(self.provisioning, {"saga_id": saga_id}, saga_id)

    def _later(self, action: Any) -> None:
        self.engine.call_at(self.clock.now() + self.random.choice([0.0, 1.0, 5.0, 20.0, 130.0, 300.0]), action)

    def _cancel(self, saga_id: str) -> None:
        try:
            self.sagas.cancel(saga_id)
        except NotPossible:
            return

    def _abort(self, saga_id: str) -> None:
        for execution in list(self.engine.core.executions):
            if execution.arn.endswith(f":{saga_id}") and execution.running:
                document = json.dumps({"executionArn": execution.arn})
                self.engine.handle("AWSStepFunctions.StopExecution", document.encode())

    def _status_changed(self, detail: dict[str, Any]) -> None:
        if detail["stateMachineArn"] == self.provisioning and detail["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
            self.engine.start_execution(self.release, {"saga_id": detail["name"], "reason": "COMPENSATE"})

    def _report(self) -> None:
        for cluster in CLUSTERS:
            settings = cluster_settings(cluster)
            self.clusters.report(settings, self.provider.survey(cluster))
        if self.clock.now() < self._most:
            self.engine.call_at(self.clock.now() + REPORT_EVERY, self._report)

    def _make_handlers(self, clock: EngineClock) -> dict[str, Any]:
        functions = {"vsphere": {verb: f"placement-{verb}" for verb in VERBS}}
        saga_steps = SagaSteps(self.ledger, clock, Policy(), functions, FakeExpiry())
        placing = PlacingSteps(self.ledger, self.clusters, clock, Policy(), self.random)
        steps = CloudSteps(
            placing.create,
            placing.observe,
            placing.delete,
            placing.observe_absence,
            self.ledger,
            clock,
            PlacementPreflight(self.clusters, clock, self.random),
        )
        handlers = step_handlers(lambda: steps)
        return {
            "saga": saga_handler(lambda: saga_steps),
            **{f"placement-{verb}": getattr(handlers, verb) for verb in VERBS},
        }

    def _invoke(self, name: str, payload: bytes) -> LambdaResult:
        try:
            result = self._handlers[name](json.loads(payload), Context(name, "request"))
        except Exception as error:
            document = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
            return LambdaResult(json.dumps(document).encode(), "Unhandled")
        return LambdaResult(json.dumps(result).encode())

    def _deploy(self, name: str, **substitutions: str) -> str:
        definition = (STATEMACHINES / f"{name}.asl.json").read_text()
        for key, value in substitutions.items():
            definition = definition.replace(f"${{{key}}}", value)
        return self.engine.create_state_machine(f"skysaga-{name}", definition)


@dataclass
class Verdict:
    """What came of a run, and what of it must not be."""

    status: SagaStatus
    violations: list[str] = field(default_factory=list)


def judge(world: PrivateWorld, snapshot: Snapshot) -> Verdict:
    """Compare what the ledger says with what the clusters hold, and with what is claimed of them."""
    saga, resources = snapshot
    verdict = Verdict(saga.status)
    there = world.provider.holding()
    wanted = sorted((it.cluster or "", it.id) for it in resources if it.status is ResourceStatus.READY)
    if saga.status not in ENDINGS:
        verdict.violations.append(f"it never ended: {saga.status}")
    if world.provider.doubles():
        verdict.violations.append(f"there twice: {world.provider.doubles()}")
    if saga.status is SagaStatus.COMMITTED and there != wanted:
        verdict.violations.append(f"committed {wanted}, and there is {there}")
    if saga.status is SagaStatus.ROLLED_BACK and there:
        verdict.violations.append(f"rolled back, and there is {there}")
    for cluster in CLUSTERS:
        claimed = world.ledger.claimed(cluster).amounts
        held = [it.claim for it in resources if it.claim is not None and it.claim.cluster == cluster]
        if claimed != sum((claim.amounts for claim in held), Amounts()):
            verdict.violations.append(f"{cluster}: claims of {claimed} are not the resources'")
        if saga.status is SagaStatus.ROLLED_BACK and claimed != Amounts():
            verdict.violations.append(f"{cluster}: rolled back, and {claimed} are still claimed")
        if len([it for it in there if it[0] == cluster]) > len(held):
            verdict.violations.append(f"{cluster}: something is there that is not claimed")
    return verdict


def request(seed: int) -> dict[str, Any]:
    """One to four machines, some of them together or apart."""
    random = Random(seed)  # noqa: S311 -- a run must repeat
    names = [f"m-{number}" for number in range(random.choice([1, 2, 2, 3, 4]))]
    machines = [vsphere_instance(name, anti_affinity="g" if random.random() < 0.3 else None) for name in names]
    if len(names) > 2 and random.random() < 0.4:
        machines[-1] = vsphere_instance(names[-1], near=names[0])
    return request_document(*machines, preflight=random.random() < 0.8)


def simulate(seed: int, trouble: Trouble | None = None) -> Verdict:
    """One run."""
    world = PrivateWorld(seed, trouble or Trouble())
    return judge(world, world.run(request(seed)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Many runs; 1 when any of them violates anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.private", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args(arguments)
    endings: Counter[str] = Counter()
    violations = []
    for seed in range(options.first, options.first + options.runs):
        verdict = simulate(seed)
        endings[verdict.status] += 1
        violations += [f"seed {seed}: {it}" for it in verdict.violations]
    print(json.dumps({"runs": options.runs, "endings": endings, "violations": violations}, indent=2))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
