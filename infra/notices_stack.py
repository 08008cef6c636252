"""Who is told what happens to sagas: the bus, a topic for people, and webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.announcer import Announcer
from infra.constructs.code import FunctionCode
from infra.constructs.keys import OperationsKey
from infra.constructs.webhook import WebhookQueue, WebhookSender
from infra.packaging.bundles import Bundles
from infra.permissions.events import EVENT_SOURCE, publishing, sending
from infra.webhooks import ENDINGS, Webhooks

TOPIC: Final = "skysaga-notices"

_TOLD: Final = {
    "name": "$.detail.name",
    "saga": "$.detail.saga",
    "status": "$.detail.status",
    "before": "$.detail.before",
    "created": "$.detail.created_at",
    "at": "$.detail.at",
}
_MESSAGE: Final = (
    "skysaga: <name> is <status>. The saga <saga>, submitted at <created>, was <before> until <at>. "
    "GET /sagas/<saga> has its resources, and /sagas/<saga>/events why."
)


class NoticesStack(Stack):
    """Nothing here is needed for a saga to go its way: what comes from the ledger's stream comes after the fact."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ledger: dynamodb.ITable,
        topic: sns.ITopic,
        webhooks: Webhooks,
        bundles: Bundles,
    ) -> None:
        super().__init__(scope, id, description="skysaga: events, notices and webhooks")
        alarms = Alarms(self, "Alarms", topic)
        code = FunctionCode(self, "Code", bundles)
        Announcer(self, "Announcer", ledger=ledger, code=code, alarms=alarms)
        notices = sns.Topic(self, "Topic", topic_name=TOPIC, enforce_ssl=True, master_key=OperationsKey.of(self))
        queues = [
            WebhookQueue(self, f"{name}Webhook", name=name, webhook=it, alarms=alarms)
            for name, it in webhooks.by_name.items()
        ]
        role = self._add_role(notices, queues)
        self._add_endings(notices, role)
        for queue in queues:
            queue.add_rule(role)
        if queues:
            WebhookSender(self, "Webhooks", webhooks=webhooks, queues=queues, code=code)
        CfnOutput(self, "NoticesTopic", value=notices.topic_arn, description="Subscribe to it: docs/events.md")

    def _add_role(self, topic: sns.ITopic, queues: Sequence[WebhookQueue]) -> iam.Role:
        """What the bus hands events on as: so it needs no leave by name in the policies of topic, queues and key."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description="Hands events on to the topic and the queues of webhooks",
        )
        key = OperationsKey.of(self)
        arns = [it.queue.queue_arn for it in queues]
        for statement in (*publishing(self, topic.topic_arn, key), *(sending(self, arns, key) if arns else ())):
            role.add_to_policy(statement)
        return role

    def _add_endings(self, topic: sns.ITopic, role: iam.IRole) -> None:
        events.CfnRule(
            self,
            "Endings",
            name=TOPIC,
            description="Sagas that have come to an end, for people",
            event_pattern={
                "source": [EVENT_SOURCE],
                "detail-type": ["Saga changed"],
                "detail": {"status": list(ENDINGS)},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=topic.topic_arn,
                    role_arn=role.role_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=_TOLD, input_template=json.dumps(_MESSAGE)
                    ),
                )
            ],
        )
