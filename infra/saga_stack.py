"""The saga: the functions that are its steps, and the state machines that call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.clouds import PRIVATE_CLOUDS, PUBLIC_CLOUDS, PublicCloud
from infra.constructs.code import FunctionCode
from infra.constructs.expiry import Expiry
from infra.constructs.function import Function
from infra.constructs.ledger import ledger_access
from infra.constructs.parameters import SOURCES, parameter_access
from infra.constructs.provider import Provider
from infra.constructs.rollout import Rollout
from infra.constructs.state_machine import PublishedStateMachine
from infra.packaging.bundles import Bundles
from infra.permissions.verbs import VERBS, Permissions, Verb
from infra.settings import Settings
from infra.targets import Targets

RELEASE: Final = "skysaga-release"
PLACEMENT: Final = "placement"
"""Stands for every private cloud: on which cluster something is to be, the ledger knows and not the cloud."""


class SagaStack(Stack):
    """The steps and the plot; `definitions` is the folder of the state machines' files.

    Where `costs` are collected, rate cards say what machines on private clusters will cost.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        bundles: Bundles,
        settings: Settings,
        targets: Targets,
        definitions: Path,
        costs: bool = False,
    ) -> None:
        super().__init__(scope, id, description="skysaga: steps and state machines")
        self._ledger = ledger
        self._code = FunctionCode(self, "Code", bundles)
        self._costs = costs
        self._rollout = Rollout(self, "Rollout", gradual=settings.gradual)
        self._rollout.stop_at_unforeseen_errors()
        self._providers = self._add_providers(settings, targets)
        self._saga = self._add_saga_function()
        self.release: Final = self._add_release(definitions)
        self.provisioning: Final = self._add_provisioning(definitions)
        for name, machine in (("Provisioning", self.provisioning), ("Release", self.release)):
            CfnOutput(
                self, f"{name}StateMachine", value=machine.alias_arn, description="Start executions of this alias"
            )

    def _add_providers(self, settings: Settings, targets: Targets) -> dict[str, Provider]:
        public = {name: self._add_public(it, settings, targets) for name, it in PUBLIC_CLOUDS.items()}
        return {**public, PLACEMENT: self._add_placement()}

    def _add_public(self, cloud: PublicCloud, settings: Settings, targets: Targets) -> Provider:
        return Provider(
            self,
            cloud.name.capitalize(),
            cloud=cloud.name,
            code=self._code,
            environment=lambda verb: {**self._table, **cloud.verb(verb), **cloud.environment(settings, verb)},
            ledger=ledger_access(self._ledger),
            permissions=cloud.permissions(self, targets),
            dependencies=cloud.folder,
            memory=cloud.memory,
            trusted=cloud.trusted,
        )

    def _add_placement(self) -> Provider:
        return Provider(
            self,
            "Placement",
            cloud=PLACEMENT,
            code=self._code,
            environment=lambda verb: {
                **self._table,
                **({"SOURCES_PARAMETER": SOURCES} if self._tells_prices(verb) else {}),
            },
            ledger=ledger_access(self._ledger, clusters=True),
            permissions=Permissions(
                {verb: [parameter_access(self, [SOURCES])] if self._tells_prices(verb) else [] for verb in VERBS},
                {},
            ),
            dependencies=".",
        )

    @property
    def _table(self) -> dict[str, str]:
        return {"LEDGER_TABLE": self._ledger.table_name}

    def _tells_prices(self, verb: Verb) -> bool:
        return self._costs and verb == "check"

    def _add_saga_function(self) -> Function:
        arns = {cloud: provider.version_arns for cloud, provider in self._by_cloud.items()}
        expiry = Expiry(self, "Expiry", release=RELEASE)
        function = Function(
            self,
            "SagaSteps",
            name="skysaga-saga",
            description="The steps that concern a whole saga: begin, decide, commit, fence, finish",
            handler="lambdas.saga.handler.handler",
            code=self._code,
            environment={
                "LEDGER_TABLE": self._ledger.table_name,
                "PROVIDER_FUNCTIONS": json.dumps(arns),
                **expiry.environment,
            },
            permissions=[*ledger_access(self._ledger), *expiry.permissions()],
        )
        expiry.accept_wildcard(function)
        return function

    def _add_release(self, definitions: Path) -> PublishedStateMachine:
        release = PublishedStateMachine(
            self,
            "Release",
            name=RELEASE,
            definition=definitions / "release.asl.json",
            substitutions={"SagaFunction": self._saga.version.function_arn},
            functions=[self._saga, *self._functions("observe", "delete")],
            rollout=self._rollout,
        )
        release.let_run_batches()
        release.let_send_tasks()
        return release

    def _add_provisioning(self, definitions: Path) -> PublishedStateMachine:
        provisioning = PublishedStateMachine(
            self,
            "Provisioning",
            name="skysaga-provisioning",
            definition=definitions / "provisioning.asl.json",
            substitutions={
                "SagaFunction": self._saga.version.function_arn,
                "ReleaseStateMachine": self.release.version_arn,
            },
            functions=[self._saga, *self._functions("create", "observe", "check")],
            rollout=self._rollout,
        )
        provisioning.machine.add_to_role_policy(self.release.start_permission("StartRelease"))
        provisioning.let_run_batches()
        provisioning.let_send_tasks()
        return provisioning

    @property
    def checks(self) -> dict[str, Function]:
        """The function that asks each cloud for shortages."""
        return {cloud: provider.functions["check"] for cloud, provider in self._by_cloud.items()}

    @property
    def _by_cloud(self) -> dict[str, Provider]:
        """The functions to call for each cloud that a request may name."""
        public = {cloud: self._providers[cloud] for cloud in PUBLIC_CLOUDS}
        return {**public, **dict.fromkeys(PRIVATE_CLOUDS, self._providers[PLACEMENT])}

    def _functions(self, *verbs: Verb) -> list[Function]:
        return [provider.functions[verb] for provider in self._providers.values() for verb in verbs]
