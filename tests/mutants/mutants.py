"""Pitfalls of published sagas, put back in on purpose: each as small a change as would bring it about."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from unittest import mock

from lambdas.aws import provider as aws
from lambdas.azure.provider import AzureProvider
from lambdas.core.errors import StepError
from lambdas.core.model import Intent, Resource, Saga
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.provisioning import DONE, ProvisioningSteps, intent_of, wanted
from lambdas.core.steps.releasing import ReleaseSteps, begin_release
from lambdas.core.steps.results import StepResult
from lambdas.gcp.provider import GcpProvider
from tests.simulation.answers import Answer
from tests.simulation.simulated import Mutation
from tests.simulation.upsets import Upset

Patches = Mapping[str, Any]
"""Replacements by the dotted name of what they replace."""


@dataclass(frozen=True)
class Mutant:
    """A pitfall, the invariant that it violates, and the trouble in which that shows on the three-cloud saga.

    `patches` makes replacements anew for every run; `mutations` change the state machines; `answer` is what comes of
    the wish for approval that the saga has then.
    """

    pitfall: str
    violates: str
    trouble: tuple[Upset, ...] = ()
    patches: Callable[[], Patches] = dict
    mutations: Mapping[str, Mutation] = field(default_factory=dict)
    answer: Answer | None = None

    @contextmanager
    def at_large(self) -> Iterator[None]:
        """The pitfall is there, as long as this lasts."""
        with ExitStack() as stack:
            for name, replacement in self.patches().items():
                stack.enter_context(mock.patch(name, replacement))
            yield


class UndoAfterDo(ProvisioningSteps):
    """Asks the cloud first, and writes down what is to be undone when it has answered."""

    def create(self, saga_id: str, resource_id: str) -> StepResult:
        """Act, then write the intent."""
        saga, resource = self._ledger.saga(saga_id), self._ledger.resource(saga_id, resource_id)
        if resource.status is not ResourceStatus.PLANNED or not wanted(saga):
            return super().create(saga_id, resource_id)
        intent = intent_of(self._ledger, saga, resource)
        part = self._provider.parts(intent)[0]
        done = {
            "operations": {part: self._provider.create(intent, part)},
            "status": ResourceStatus.CREATING,
            "created_at": self._clock.now(),
        }
        self._ledger.change_resource(saga_id, resource_id, lambda _, it: it.model_copy(update=done))
        return self._wait(resource)


class OneAttempt(ReleaseSteps):
    """Asks the cloud once to delete, and takes it for done."""

    def delete(self, saga_id: str, resource_id: str) -> StepResult:
        """Ask, and write that it is gone."""
        saga, resource = begin_release(self._ledger, self._clock, saga_id, resource_id)
        with suppress(StepError):
            self._provider.delete(intent_of(self._ledger, saga, resource))
        self._ledger.change_resource(saga_id, resource_id, _gone)
        return DONE


class NotFoundIsGone(ReleaseSteps):
    """Takes "not found" for "gone"."""

    def delete(self, saga_id: str, resource_id: str) -> StepResult:
        """Look, and believe what is seen."""
        saga, resource = begin_release(self._ledger, self._clock, saga_id, resource_id)
        if not self._provider.find(intent_of(self._ledger, saga, resource)):
            self._ledger.change_resource(saga_id, resource_id, _gone)
            return DONE
        return super().delete(saga_id, resource_id)


class OtherZones:
    """An EC2 client that starts an instance in another zone at each attempt, with the same token."""

    def __init__(self, ec2: Any, attempts: Counter[str]) -> None:
        self._ec2 = ec2
        self._attempts = attempts

    def run_instances(self, **request: Any) -> Any:
        """Start it in the next zone."""
        token = request["ClientToken"]
        zone = f"{self._ec2.meta.region_name}{'abc'[self._attempts[token] % 3]}"
        self._attempts[token] += 1
        return self._ec2.run_instances(**{**request, "Placement": {"AvailabilityZone": zone}})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ec2, name)


def _gone(_: Saga, resource: Resource) -> Resource:
    return resource.model_copy(update={"status": ResourceStatus.ABSENT})


def _random_tokens() -> Patches:
    random = Random(1)  # noqa: S311 -- runs must repeat
    return {"lambdas.core.model.Intent.token": lambda intent, part: str(uuid.UUID(int=random.getrandbits(128)))}


def _other_zones() -> Patches:
    attempts: Counter[str] = Counter()
    run_instance = aws._run_instance

    def run(ec2: Any, intent: Intent, definition: Any) -> str:
        return run_instance(OtherZones(ec2, attempts), intent, definition)  # type: ignore[arg-type]  # acts like one

    return {"lambdas.aws.provider._run_instance": run}


def _believing() -> Patches:
    providers = (aws.AwsProvider, AzureProvider, GcpProvider)
    return {f"{it.__module__}.{it.__qualname__}.settling_seconds": 0.0 for it in providers}


def _deaf_to_cancel(saga: Saga) -> bool:
    return saga.status is SagaStatus.PROVISIONING


def _without_catch(map_state: str) -> Mutation:
    """A failure inside an iteration of that Map is no longer caught, and ends the Map."""

    def change(definition: dict[str, Any]) -> None:
        states = _states(definition)[map_state]["ItemProcessor"]["States"]
        for name in [name for name in states if name.startswith("Record")]:
            del states[name]
        for state in states.values():
            state.pop("Catch", None)

    return change


def _stopping_at_a_failure(definition: dict[str, Any]) -> None:
    """What fails in a batch fails the batch, the batch the wave, and the wave the release."""
    _without_catch("ReleaseBatch")(definition)
    states = _states(definition)
    del states["ReleaseResources"]["ToleratedFailurePercentage"]
    del states["ReleaseWave"]["Catch"]


def _states(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every state by its name, the inner ones included."""
    found: dict[str, dict[str, Any]] = dict(definition["States"])
    for state in definition["States"].values():
        for inner in [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]:
            found |= _states(inner)
    return found


_ROLLED_BACK: Final = Upset("gcp:instances.insert", 1, "capacity", 5.0)
_LATE_THEN_ABORTED: Final = (
    Upset("aws:RunInstances", 1, "late", 40.0),
    Upset("azure:NetworkInterfaces_Get", 1, "abort"),
)

MUTANTS: Final = (
    Mutant(
        "the undo is registered after the do",
        "untracked",
        patches=lambda: {"lambdas.adapters.steps.ProvisioningSteps": UndoAfterDo},
    ),
    Mutant(
        "there is no fence",
        "fence",
        (
            Upset("aws-create:data-aws", 1, "cold", 3.0),
            Upset("gcp:disks.insert", 1, "abort"),
            Upset("saga:conclude", 1, "cold", 10.0),
        ),
        lambda: {"lambdas.core.steps.provisioning.wanted": lambda saga: True},
    ),
    Mutant(
        "a create carries another token each time", "twice", (Upset("aws:RunInstances", 1, "lost"),), _random_tokens
    ),
    Mutant(
        "one attempt at undo is taken for an undo",
        "all-or-none",
        (_ROLLED_BACK,),
        lambda: {"lambdas.adapters.steps.ReleaseSteps": OneAttempt},
    ),
    Mutant("absence is believed at once", "all-or-none", _LATE_THEN_ABORTED, _believing),
    Mutant(
        "not found is taken for gone",
        "all-or-none",
        _LATE_THEN_ABORTED,
        lambda: {"lambdas.adapters.steps.ReleaseSteps": NotFoundIsGone},
    ),
    Mutant(
        "a failure aborts its siblings",
        "siblings",
        (Upset("gcp:disks.insert", 1, "capacity", 2.0), Upset("aws:CreateVolume", 1, "slow", 14.0)),
        mutations={"provisioning": _without_catch("ProvisionBatch")},
    ),
    Mutant(
        "a retry goes to another zone with the same token",
        "twice",
        (Upset("aws:RunInstances", 1, "lost"),),
        _other_zones,
    ),
    Mutant(
        "a cancel is ignored",
        "cancel",
        (Upset("aws:RunInstances", 1, "cancel"),),
        lambda: {
            "lambdas.core.steps.provisioning.wanted": _deaf_to_cancel,
            "lambdas.core.steps.saga.wanted": _deaf_to_cancel,
        },
    ),
    Mutant(
        "compensation stops at the first failure",
        "endings",
        (_ROLLED_BACK, Upset("aws:DeleteVolume", 0, "throttle")),
        mutations={"release": _stopping_at_a_failure},
    ),
    Mutant(
        "a delete that is delivered again when all is over hides what is stuck",
        "attention",
        (_ROLLED_BACK, Upset("aws:DeleteVolume", 0, "refuse"), Upset("aws-delete:data-aws", 0, "repeated", 4.0)),
        lambda: {"lambdas.core.steps.releasing.UNDER_RELEASE": frozenset(SagaStatus)},
    ),
    Mutant(
        "an approval is not waited for",
        "approval",
        patches=lambda: {
            "lambdas.core.steps.saga.asked_before": lambda saga, wave: False,
            "lambdas.core.steps.saga.outstanding": lambda saga: False,
        },
        answer=Answer("commit", 120, None),
    ),
)
