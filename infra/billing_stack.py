"""Billing: what collects costs from every source each hour, and what is asked for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.billing import AnySource, Billing
from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.calling import EVERY_HOUR, Called
from infra.constructs.code import FunctionCode
from infra.constructs.collector import LONGEST_SECONDS, Collector
from infra.constructs.cost_queries import CostQueries, query_environment, querying
from infra.constructs.costs import (
    BUCKET,
    COSTS,
    RESULTS,
    STAGING,
    WINDOWS,
    accepted,
    key_access,
    listing,
    reading,
    windows_access,
    writing,
)
from infra.constructs.function import Function
from infra.constructs.ledger import ledger_access
from infra.constructs.parameters import BUDGETS, SOURCES, parameter_access, target_environment, target_parameter
from infra.constructs.rollout import Rollout
from infra.constructs.state_machine import PublishedStateMachine
from infra.packaging.bundles import Bundles
from infra.permissions.azure import token_for_azure
from infra.permissions.costs import ACCEPTED, accepted_exports, reading_aws_costs
from infra.permissions.events import telling
from infra.permissions.targets import COSTS as COSTS_VERB
from infra.permissions.targets import VERB_VARIABLE
from infra.settings import Settings
from infra.targets import Targets

BILLING: Final = "skysaga-billing"
START: Final = "skysaga-billing-start"

KINDS: Final = {
    "aws": ("aws-cost-explorer", "aws-data-export"),
    "azure": ("azure-cost-query", "azure-cost-export"),
    "gcp": ("gcp-bigquery",),
}
"""What is read by the function of each public cloud."""

RATE_CARD: Final = "rate-card"
_PUBLISH_MB: Final = 1024
_PUBLISH_DISK_MB: Final = 4096
"""What does not fit into memory, a month's rows of a large account, is arranged on disk."""

_STARTED_AGAIN: Final = {
    "CKV_AWS_116": "It is called again twice, and in an hour; an hour that was missed is made up for."
}


class BillingStack(Stack):
    """One deployment's billing, there only where it declares sources; `definitions` is the folder of the machines."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        topic: sns.ITopic,
        billing: Billing,
        bundles: Bundles,
        settings: Settings,
        targets: Targets,
        definitions: Path,
    ) -> None:
        super().__init__(scope, id, description="skysaga: hourly collection of costs")
        assert ledger.encryption_key is not None  # noqa: S101 - DataStack sees to it
        self._ledger = ledger
        self._key: kms.IKey = ledger.encryption_key
        self._billing = billing
        self._settings = settings
        self._targets = targets
        self._code = FunctionCode(self, "Code", bundles)
        CostQueries(self, "Queries", billing=billing, key=self._key)
        machine = self._add_machine(definitions)
        self._add_start(machine)
        self._add_alarms(Alarms(self, "Alarms", topic), machine.machine.state_machine_arn)

    def _add_machine(self, definitions: Path) -> PublishedStateMachine:
        collectors = self._add_collectors()
        steps = self._add_steps({kind: it.version.function_arn for kind, it in collectors.items()})
        publish = self._add_publish()
        machine = PublishedStateMachine(
            self,
            "Billing",
            name=BILLING,
            definition=definitions / "billing.asl.json",
            substitutions={
                "BillingFunction": steps.version.function_arn,
                "PublishFunction": publish.version.function_arn,
            },
            functions=[steps, publish, *dict.fromkeys(collectors.values())],
            rollout=Rollout(self, "Rollout", gradual=self._settings.gradual),
        )
        CfnOutput(self, "BillingStateMachine", value=machine.alias_arn, description="Collects costs each hour")
        return machine

    def _add_collectors(self) -> dict[str, Function]:
        """The collector of each kind of source that is declared."""
        found: dict[str, Function] = {}
        for cloud, kinds in KINDS.items():
            if sources := self._billing.of_kind(*kinds):
                collector = self._add_collector(cloud, sources)
                found |= {it.kind: collector for it in sources}
        if self._billing.of_kind(RATE_CARD):
            found[RATE_CARD] = self._add_rate_card()
        return found

    def _add_collector(self, cloud: str, sources: Sequence[AnySource]) -> Function:
        collector = Collector(
            self,
            f"{cloud.capitalize()}Costs",
            name=f"skysaga-{cloud}-costs",
            description=f"Reads what things cost on {cloud}",
            handler=f"lambdas.{cloud}.collector.handler",
            code=self._code,
            machine=BILLING,
            key=self._key,
            dependencies=cloud,
            environment={
                **({VERB_VARIABLE: COSTS_VERB} if cloud == "aws" else {}),
                **target_environment([cloud]),
                **self._settings.environment(cloud, COSTS_VERB),
            },
            parameters=[target_parameter(cloud)],
            permissions=self._looking(cloud, sources),
            accepted_wildcards={**ACCEPTED, **accepted_exports(sources)},
        ).function
        if cloud != "aws":
            collector.put_out_role(f"{cloud.capitalize()}CostsRole")
        return collector

    def _looking(self, cloud: str, sources: Sequence[AnySource]) -> Sequence[iam.PolicyStatement]:
        match cloud:
            case "aws":
                return reading_aws_costs(self, sources, self._targets)
            case "azure":
                return [token_for_azure()]
            case _:
                return []

    def _add_rate_card(self) -> Function:
        """Private clusters cost what the machines on them do, and the ledger knows of all there ever were."""
        return Collector(
            self,
            "RateCard",
            name="skysaga-rate-card",
            description="Reckons what machines on private clusters cost",
            handler="lambdas.billing.rate_card.handler",
            code=self._code,
            machine=BILLING,
            key=self._key,
            dependencies=".",
            environment={"LEDGER_TABLE": self._ledger.table_name},
            parameters=[],
            permissions=ledger_access(self._ledger, writing=False, history=True),
            accepted_wildcards={},
        ).function

    def _add_steps(self, collectors: dict[str, str]) -> Function:
        steps = Function(
            self,
            "Steps",
            name=BILLING,
            description="The steps about all sources: which there are, what they cost, and which budgets were passed",
            handler="lambdas.billing.handler.handler",
            code=self._code,
            environment={
                "BUDGETS_PARAMETER": BUDGETS,
                "COLLECTORS": json.dumps(collectors),
                "COSTS_BUCKET": BUCKET,
                "SOURCES_PARAMETER": SOURCES,
                "WINDOWS_TABLE": WINDOWS,
                **query_environment(),
            },
            permissions=[
                windows_access(self, writing=True),
                key_access(self, self._key, ("dynamodb", "s3"), writing=True),
                parameter_access(self, [BUDGETS, SOURCES]),
                *querying(self),
                telling(self, "SayBudgetPassed"),
            ],
        )
        acknowledge(steps, accepted(COSTS, RESULTS))
        return steps

    def _add_publish(self) -> Function:
        publish = Function(
            self,
            "Publish",
            name="skysaga-billing-publish",
            description="Makes staged pages into the files of the windows they fill",
            handler="lambdas.billing.publisher.handler",
            code=self._code,
            environment={"COSTS_BUCKET": BUCKET, "SOURCES_PARAMETER": SOURCES, "WINDOWS_TABLE": WINDOWS},
            permissions=[
                windows_access(self, writing=True),
                reading(self, STAGING, COSTS),
                writing(self, COSTS),
                listing(self, STAGING, COSTS),
                key_access(self, self._key, ("dynamodb", "s3"), writing=True),
                parameter_access(self, [SOURCES]),
            ],
            dependencies="billing",
            memory=_PUBLISH_MB,
            timeout=LONGEST_SECONDS,
            storage=_PUBLISH_DISK_MB,
        )
        acknowledge(publish, accepted(STAGING, COSTS))
        return publish

    def _add_start(self, machine: PublishedStateMachine) -> None:
        start = Function(
            self,
            "Start",
            name=START,
            description="Starts the collection of costs, once for each hour",
            handler="lambdas.billing.handler.start",
            code=self._code,
            environment={"BILLING_STATE_MACHINE": machine.alias_arn},
            permissions=[machine.start_permission("StartBilling")],
            accepted=_STARTED_AGAIN,
        )
        Called(self, "Schedule", name=BILLING, function=start, rate=EVERY_HOUR)

    def _add_alarms(self, alarms: Alarms, machine: str) -> None:
        alarms.failing(
            "BillingFails",
            machine,
            "A collection of costs ended badly: see its error; the next hour's makes up for it.",
        )
        alarms.missing("BillingMissing", machine, "No collection of costs has come to an end lately: is one hanging?")
        alarms.above_zero(
            "BillingSourcesLate",
            "BillingLateSources",
            "Sources have told nothing new for too long: GET /costs says which, and what they last answered.",
        )
        alarms.above_zero(
            "BillingWindowsLate",
            "BillingLateWindows",
            "A source says something else of hours that are closed: nothing was changed, and its invoice may differ. "
            "The publisher's log has the hours.",
        )
