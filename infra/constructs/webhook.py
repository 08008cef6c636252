"""A webhook: the rule that finds its events, the queue that they wait in until they are taken, and its secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgment import acknowledge
from infra.constructs.alarms import Alarms
from infra.constructs.code import FunctionCode
from infra.constructs.dead_letters import dead_letters
from infra.constructs.function import Function
from infra.constructs.keys import OperationsKey
from infra.permissions.clusters import accepted_of_secret, polled_tasks, reading_secret
from infra.permissions.events import putting_off
from infra.webhooks import Webhook, Webhooks

WEBHOOK: Final = "skysaga-webhook"
SECRETS: Final = "skysaga/webhooks/"
"""How the names of their secrets begin."""

SEND_SECONDS: Final = 30
"""A receiver has ten seconds; the rest is for a secret that is slow to come."""

TRIES: Final = 14
"""After 5, 10, 20 ... seconds and at most an hour: for four hours and a half, or half of that where chance has it."""

_HIDDEN: Final = Duration.seconds(2 * SEND_SECONDS)
_KEPT: Final = Duration.days(4)
"""Longer than all tries take where a receiver wants to be left alone for six hours each time."""

_AT_ONCE: Final = 5
"""Deliveries to one receiver."""

_SECRET_LENGTH: Final = 64
"""Letters and digits, which are Base64 of 48 bytes, and hard to guess as 47 are."""

_BY_QUEUE: Final = {
    "CKV_AWS_115": "The mapping of each queue bounds how many run; a share reserved is one taken away.",
    "CKV_AWS_116": "What is not taken goes back to its queue, and in the end to the queue's dead-letter queue.",
}


class WebhookQueue(Construct):
    """The queue and the secret of the webhook `name`; `role` may send to it once its rule has been added."""

    def __init__(self, scope: Construct, id: str, *, name: str, webhook: Webhook, alarms: Alarms) -> None:
        super().__init__(scope, id)
        self.name: Final = name
        self._webhook = webhook
        dead = dead_letters(
            self,
            "DeadLetters",
            name=f"{WEBHOOK}-{name}-dead",
            alarms=alarms,
            alarm=f"{WEBHOOK}-{name}-given-up",
            section=f"{WEBHOOK}-name-given-up",
            what_to_do=f"The webhook {name} has not taken events for hours: mend it, then start the redrive of its "
            "dead-letter queue. The log of skysaga-webhook has what it answered.",
        )
        self.queue: Final = sqs.Queue(
            self,
            "Queue",
            queue_name=f"{WEBHOOK}-{name}",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=OperationsKey.of(self),
            enforce_ssl=True,
            retention_period=_KEPT,
            visibility_timeout=_HIDDEN,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=TRIES),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._add_secret()

    def _add_secret(self) -> None:
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            name=f"{SECRETS}{self.name}",
            description=f"skysaga: what events for the webhook {self.name} are signed with; docs/events.md",
            kms_key_id=OperationsKey.of(self).key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=_SECRET_LENGTH, exclude_punctuation=True
            ),
        )
        acknowledge(self, {"AwsSolutions-SMG4": "Its receiver has to be told of a new one: an operator rotates it."})
        secret.add_metadata(
            "checkov", {"skip": [{"id": "CKV2_AWS_57", "comment": "An operator rotates it, with its receiver."}]}
        )

    def add_rule(self, role: iam.IRole) -> None:
        """Have the bus send its events to the queue, in `role`."""
        events.CfnRule(
            self,
            "Rule",
            name=f"{WEBHOOK}-{self.name}",
            description=f"What the webhook {self.name} is to be told",
            event_pattern=self._webhook.pattern,
            targets=[events.CfnRule.TargetProperty(id="Queue", arn=self.queue.queue_arn, role_arn=role.role_arn)],
        )


class WebhookSender(Construct):
    """The function that posts what lies in the queues of webhooks."""

    def __init__(
        self, scope: Construct, id: str, *, webhooks: Webhooks, queues: Sequence[WebhookQueue], code: FunctionCode
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        arns = [it.queue.queue_arn for it in queues]
        function = Function(
            self,
            "Function",
            name=WEBHOOK,
            description="Posts events to webhooks, signed, until they are taken",
            handler="lambdas.webhook.handler.handler",
            code=code,
            environment={"WEBHOOKS": webhooks.urls},
            permissions=[
                *polled_tasks(stack, arns, OperationsKey.of(self)),
                putting_off(arns),
                *reading_secret(stack, f"{SECRETS}*"),
            ],
            timeout=SEND_SECONDS,
            accepted=_BY_QUEUE,
        )
        acknowledge(
            self,
            {
                **accepted_of_secret(SECRETS),
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:"
                f"secret:{SECRETS}*-??????]": "Those of webhooks are all of its secrets.",
            },
        )
        for it in queues:
            lambda_.EventSourceMapping(
                self,
                it.name,
                target=function.version,
                event_source_arn=it.queue.queue_arn,
                batch_size=1,
                report_batch_item_failures=True,
                max_concurrency=_AT_ONCE,
            )
