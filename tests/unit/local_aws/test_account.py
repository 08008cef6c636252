"""The account as a whole: every service behind one address."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from local.aws.clients import create_client
from local.lambda_runtime.moto_source import MotoFunctionSource
from local.lambda_runtime.reference import FunctionReference
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


@pytest.mark.parametrize("size", [0, 1_000, 17 * 2**20])
def test_an_object_is_what_was_put_however_large_it_is(account: Account, size: int) -> None:
    content = bytes(range(250)) * (size // 250)
    s3 = account.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="a", Body=b"something else" * 100)
    put = s3.put_object(Bucket="files", Key="a", Body=content)
    got = s3.get_object(Bucket="files", Key="a")
    assert got["Body"].read() == content
    assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def test_a_layer_has_the_size_and_the_hash_of_its_object(account: Account) -> None:
    content = zipped()
    s3 = account.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="layer.zip", Body=content)
    functions = account.client("lambda")
    for _ in range(2):
        made = functions.publish_layer_version(LayerName="l", Content={"S3Bucket": "code", "S3Key": "layer.zip"})
        assert made["Content"]["CodeSize"] == len(content)
        assert base64.b64decode(made["Content"]["CodeSha256"]) == hashlib.sha256(content).digest()


@pytest.mark.parametrize("size", [10, 17 * 2**20])
def test_code_stays_what_it_was_when_its_object_changes_and_goes(account: Account, size: int) -> None:
    content, where = zipped(size), {"S3Bucket": "code", "S3Key": "it.zip"}
    s3, functions = account.client("s3"), account.client("lambda")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="it.zip", Body=content)
    layer = functions.publish_layer_version(LayerName="l", Content=where)["LayerVersionArn"]
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Path="/")["Role"]["Arn"]
    functions.create_function(
        FunctionName="f", Runtime="python3.11", Handler="it.handler", Role=role, Code=where, Layers=[layer]
    )
    functions.publish_version(FunctionName="f")
    s3.put_object(Bucket="code", Key="it.zip", Body=b"something else")
    s3.delete_object(Bucket="code", Key="it.zip")

    for qualifier in ("$LATEST", "1"):
        (version,) = MotoFunctionSource().resolve(FunctionReference.parse("f", qualifier))
        for archive in (version.function.code, *version.function.layers):
            assert archive.read() == content
            assert archive.sha256 == hashlib.sha256(content).hexdigest()
    configuration = functions.get_function(FunctionName="f", Qualifier="1")["Configuration"]
    assert configuration["CodeSize"] == len(content)


def test_functions_are_listed_the_same_again_and_are_not_copied_with_all_that_they_lead_to(account: Account) -> None:
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}", Path="/")["Role"]["Arn"]
    functions = account.client("lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="it.handler",
        Role=role,
        Code={"ZipFile": zipped()},
        Publish=True,
    )
    listed = [functions.list_functions(FunctionVersion="ALL")["Functions"] for _ in range(2)]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert [[it["FunctionArn"] for it in each] for each in listed] == [[f"{arn}:$LATEST", f"{arn}:1"]] * 2
    backend = get_backend("lambda")["123456789012"]["us-east-1"]
    (latest, _), (same, _) = backend.list_functions("ALL"), backend.list_functions("ALL")
    assert latest is not same
    assert latest.code is same.code


def zipped(size: int = 0) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("python/it.py", "x = 1")
        archive.writestr("python/large", b"0123456789" * (size // 10))
    return written.getvalue()


def test_a_key_that_encrypts_does_and_one_that_is_a_pair_signs(account: Account) -> None:
    kms = account.client("kms")
    plain = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=plain, Plaintext=b"said")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"said"
    with pytest.raises(ClientError, match="key with usage"):
        kms.sign(KeyId=plain, Message=b"said", SigningAlgorithm="RSASSA_PSS_SHA_256")

    pair = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    signed = {"KeyId": pair, "Message": b"said", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    signature = kms.sign(**signed)["Signature"]
    assert kms.verify(**signed, Signature=signature)["SignatureValid"]


@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "list_buckets"), ("sqs", "list_queues"), ("ssm", "describe_parameters"), ("iam", "list_roles")],
)
def test_the_machines_own_requests_say_who_asks_which_service_where_and_are_not_signed(
    account: Account, service: str, operation: str
) -> None:
    said: list[str] = []
    client = create_client(service, account.url, "eu-west-1")
    client.meta.events.register_first("before-send", lambda request, **_: said.append(request.headers["Authorization"]))
    getattr(client, operation)()
    (header,) = said
    assert re.search(rf"Credential=local/\d{{8}}/eu-west-1/{service}/aws4_request, .*Signature=none", str(header))


def test_what_one_asks_for_in_a_region_is_there(account: Account) -> None:
    here, elsewhere = (create_client("sqs", account.url, it) for it in ("eu-west-1", "us-east-1"))
    here.create_queue(QueueName="q")
    assert len(here.list_queues()["QueueUrls"]) == 1
    assert "QueueUrls" not in elsewhere.list_queues()


def test_a_link_to_an_object_is_signed(account: Account) -> None:
    s3 = create_client("s3", account.url, "us-east-1")
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="a", Body=b"c")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "plain", "Key": "a"})
    assert "Signature=" in url
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
