"""The keys that everything at rest is encrypted with, and who may use them (`docs/decisions/0012-two-keys.md`)."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

# What log groups are called where functions, state machines and the API write to them.
_LOG_GROUPS: Final = ("/aws/lambda/skysaga-*", "/aws/vendedlogs/*/skysaga*")

# All of kms: but its use. With it the account stays able to mend or delete a key, and no policy of IAM that allows
# kms:Decrypt on "*" opens what is encrypted with this one.
_ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
)


class LedgerKey(Construct):
    """The key of what is kept, the ledger and costs; it stays, too: without it neither nor a backup can be read."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.key: Final = kms.Key(
            self,
            "Key",
            description="skysaga: the ledger and costs",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
            policy=iam.PolicyDocument(statements=[_administer(), *self._through_dynamodb(), self._through_s3()]),
        )

    def _through_dynamodb(self) -> list[iam.PolicyStatement]:
        """Return the use of it through DynamoDB by whom IAM allows it; from "Encryption at rest: usage notes"."""
        stack = Stack.of(self)
        via = {"kms:CallerAccount": stack.account, "kms:ViaService": f"dynamodb.{stack.region}.{stack.url_suffix}"}
        return [
            iam.PolicyStatement(
                sid="UseThroughDynamoDb",
                principals=[iam.AccountRootPrincipal()],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],
                conditions={"StringEquals": via},
            ),
            iam.PolicyStatement(
                sid="GrantToDynamoDb",
                principals=[iam.AccountRootPrincipal()],
                actions=["kms:CreateGrant"],
                resources=["*"],
                conditions={"StringEquals": via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]

    def _through_s3(self) -> iam.PolicyStatement:
        """Return the use of it through S3 by whom IAM allows it; from "Using server-side encryption with AWS KMS keys".

        Athena reads files, and writes results, as the one who asks, by way of S3.
        """
        stack = Stack.of(self)
        return iam.PolicyStatement(
            sid="UseThroughS3",
            principals=[iam.AccountRootPrincipal()],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={
                "StringEquals": {
                    "kms:CallerAccount": stack.account,
                    "kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}",
                }
            },
        )


class OperationsKey(Construct):
    """The key of what operating leaves behind or passes on: logs, alarms, notices, and tasks for workers of clusters.

    It goes with the stacks, after a month to think again.

    There is one in an application, and `of` finds it: every log group has to have it, however deep it lies.
    """

    ID: Final = "OperationsKey"

    def __init__(self, scope: Stack) -> None:
        super().__init__(scope, OperationsKey.ID)
        self.key: Final = kms.Key(
            self,
            "Key",
            description="skysaga: logs, alarms, notices and queues",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=RemovalPolicy.DESTROY,
            policy=iam.PolicyDocument(
                statements=[
                    _administer(),
                    self._by_logs(),
                    self._by_alarms(),
                    *(self._through(it) for it in ("Sqs", "Sns", "SecretsManager")),
                ]
            ),
        )

    @staticmethod
    def of(scope: Construct) -> kms.IKey:
        """Return the key of the application that `scope` is in; raises LookupError where there is none."""
        for stack in scope.node.root.node.children:
            if isinstance(found := stack.node.try_find_child(OperationsKey.ID), OperationsKey):
                return found.key
        raise LookupError("the application has no OperationsKey; DataStack makes it")

    def _by_logs(self) -> iam.PolicyStatement:
        """Return the use of it for our log groups; from "Encrypt log data in CloudWatch Logs using AWS KMS"."""
        stack = Stack.of(self)
        groups = [f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{it}" for it in _LOG_GROUPS]
        return iam.PolicyStatement(
            sid="EncryptLogs",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )

    def _by_alarms(self) -> iam.PolicyStatement:
        """Return the use of it by alarms that publish; from SNS's "Managing encryption keys", event sources.

        CloudWatch sends the account along, unlike EventBridge: a rule's statement must go without this condition.
        """
        return iam.PolicyStatement(
            sid="PublishAlarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
        )

    def _through(self, service: str) -> iam.PolicyStatement:
        """Return the use of it through a service by whom IAM allows it.

        From "Key management" of SQS and of SNS, and "Secret encryption and decryption" of Secrets Manager.
        """
        stack = Stack.of(self)
        return iam.PolicyStatement(
            sid=f"UseThrough{service}",
            principals=[iam.AccountRootPrincipal()],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions={
                "StringEquals": {
                    "kms:CallerAccount": stack.account,
                    "kms:ViaService": f"{service.lower()}.{stack.region}.{stack.url_suffix}",
                }
            },
        )


def _administer() -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="Administer", principals=[iam.AccountRootPrincipal()], actions=list(_ADMINISTRATION), resources=["*"]
    )
