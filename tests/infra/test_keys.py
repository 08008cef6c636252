"""The keys: what is encrypted with which, who may use them, and what becomes of them."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest

from tests.infra.template import Template, text

ACCOUNT = "arn:{AWS::Partition}:iam::{AWS::AccountId}:root"
DYNAMODB = "dynamodb.{AWS::Region}.{AWS::URLSuffix}"
S3 = "s3.{AWS::Region}.{AWS::URLSuffix}"
SQS = "sqs.{AWS::Region}.{AWS::URLSuffix}"
USING = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:CreateGrant")


def key(data: Template, name: str) -> dict[str, Any]:
    (found,) = [it for logical_id, it in data.resources("AWS::KMS::Key").items() if logical_id.startswith(name)]
    return found


def statements(data: Template, name: str) -> dict[str, dict[str, Any]]:
    return {it["Sid"]: it for it in key(data, name)["Properties"]["KeyPolicy"]["Statement"]}


@pytest.mark.parametrize("name", ["LedgerKey", "OperationsKey"])
def test_a_key_is_rotated_every_year(data: Template, name: str) -> None:
    assert key(data, name)["Properties"]["EnableKeyRotation"] is True


def test_the_ledger_and_costs_are_encrypted_with_a_key_of_their_own_and_keep_it(data: Template) -> None:
    tables = data.properties("AWS::DynamoDB::Table")
    (rule,) = data.only("AWS::S3::Bucket")["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert len(tables) == 2
    assert all(text(it["SSESpecification"]["KMSMasterKeyId"]).startswith("{LedgerKey") for it in tables)
    assert text(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]).startswith("{LedgerKey")
    assert key(data, "LedgerKey")["DeletionPolicy"] == "Retain"
    assert key(data, "LedgerKey")["UpdateReplacePolicy"] == "Retain"


def test_the_other_key_goes_with_its_stack_after_a_month_to_think_again(data: Template) -> None:
    assert key(data, "OperationsKey")["DeletionPolicy"] == "Delete"
    assert key(data, "OperationsKey")["Properties"]["PendingWindowInDays"] == 30


@pytest.mark.parametrize("name", ["LedgerKey", "OperationsKey"])
def test_the_account_administers_a_key_and_that_opens_nothing(data: Template, name: str) -> None:
    administering = statements(data, name)["Administer"]

    assert text(administering["Principal"]["AWS"]) == ACCOUNT
    for action in USING:
        assert not [it for it in administering["Action"] if fnmatch.fnmatchcase(action, it)]


def test_the_ledgers_key_is_used_through_dynamodb_and_s3_of_this_account_only(data: Template) -> None:
    by_name = statements(data, "LedgerKey")
    through = by_name["UseThroughDynamoDb"]["Condition"]["StringEquals"]

    assert set(by_name) == {"Administer", "UseThroughDynamoDb", "GrantToDynamoDb", "UseThroughS3"}
    through_s3 = by_name["UseThroughS3"]["Condition"]["StringEquals"]
    assert (text(through_s3["kms:ViaService"]), text(through_s3["kms:CallerAccount"])) == (S3, "{AWS::AccountId}")
    assert (text(through["kms:ViaService"]), text(through["kms:CallerAccount"])) == (DYNAMODB, "{AWS::AccountId}")
    assert by_name["GrantToDynamoDb"]["Condition"] == {
        "StringEquals": through,
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }


def test_the_other_key_is_used_by_our_logs_our_alarms_and_through_three_services_only(data: Template) -> None:
    by_name = statements(data, "OperationsKey")
    services = ("SecretsManager", "Sns", "Sqs")

    assert set(by_name) == {"Administer", "EncryptLogs", "PublishAlarms", *(f"UseThrough{it}" for it in services)}
    assert text(by_name["EncryptLogs"]["Principal"]["Service"]) == "logs.{AWS::Region}.{AWS::URLSuffix}"
    assert by_name["PublishAlarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert by_name["PublishAlarms"]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    for service in services:
        through = by_name[f"UseThrough{service}"]["Condition"]["StringEquals"]
        via = SQS.replace("sqs", service.lower())
        assert (text(through["kms:ViaService"]), text(through["kms:CallerAccount"])) == (via, "{AWS::AccountId}")


def test_every_log_group_has_the_key_and_is_one_that_its_policy_knows(
    data: Template,
    saga: Template,
    guard: Template,
    api: Template,
    notices: Template,
    clusters: Template,
    billing: Template,
) -> None:
    context = statements(data, "OperationsKey")["EncryptLogs"]["Condition"]["ArnLike"]
    known = [text(arn).partition(":log-group:")[2] for arn in context["kms:EncryptionContext:aws:logs:arn"]]
    stacks = (saga, guard, api, notices, clusters, billing)
    groups = [it for template in stacks for it in template.properties("AWS::Logs::LogGroup")]

    assert len(groups) > 20
    for group in groups:
        assert "OperationsKey" in text(group["KmsKeyId"])
        assert any(fnmatch.fnmatchcase(group["LogGroupName"], pattern) for pattern in known), group["LogGroupName"]


def test_the_alarms_topic_has_the_key(guard: Template) -> None:
    assert "OperationsKey" in text(guard.only("AWS::SNS::Topic")["Properties"]["KmsMasterKeyId"])


def test_who_reads_or_writes_the_ledger_may_use_its_key_through_dynamodb_and_no_other(
    saga: Template, guard: Template, api: Template
) -> None:
    for template in (saga, guard, api):
        for name, function in template.functions().items():
            allowed = template.statements(function["Role"])
            using = [it for it in allowed if it.get("Sid") != "CostsKey" and "kms:Decrypt" in it["Action"]]
            writes = any("dynamodb:PutItem" in it["Action"] for it in allowed)

            assert len(using) == 1, name
            assert ["LedgerKey" in text(arn) for arn in using[0]["Resource"]] == [True]
            assert text(using[0]["Condition"]["StringEquals"]["kms:ViaService"]) == DYNAMODB
            assert ("kms:Encrypt" in using[0]["Action"]) == writes, name
