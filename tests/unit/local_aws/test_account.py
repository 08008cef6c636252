"""The account as a whole: every service behind one address."""

from __future__ import annotations

import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.unit.local_aws.conftest import Account, open_account


@pytest.mark.parametrize(
    ("service", "operation"),
    [("cloudtrail", "lookup_events"), ("sns", "list_origination_numbers"), ("cloudformation", "describe_type")],
)
def test_an_operation_that_nobody_implements_is_refused_and_not_retried(
    account: Account, service: str, operation: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(account.client(service), operation)()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert operation in str(error.value)


def test_it_is_one_account_whatever_the_credentials(account: Account) -> None:
    assert account.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_s3_is_path_style(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="a/b", Body=b"c")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "plain", "Key": "a/b"})
    assert url.startswith(f"{account.url}/plain/a/b?")
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own address
        assert answer.read() == b"c"


def test_a_new_account_is_empty() -> None:
    with open_account() as first:
        first.client("sqs").create_queue(QueueName="q")
        first.client("cloudformation").create_change_set(
            StackName="s",
            ChangeSetName="c",
            ChangeSetType="CREATE",
            TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}',
        )
    with open_account() as second:
        assert "QueueUrls" not in second.client("sqs").list_queues()
        assert second.client("cloudformation").describe_stacks()["Stacks"] == []
