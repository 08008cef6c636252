"""What is read inside moto is what its Lambda API says is deployed: the guard for the pinned version."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.lambda_runtime.errors import FunctionNotFound, InvalidRuntime
from local.lambda_runtime.functions import AsynchronousPolicy, DeployedFunction
from local.lambda_runtime.moto_source import MotoFunctionSource
from local.lambda_runtime.reference import FunctionReference

TRUST = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def bundle(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return buffer.getvalue()


def create_function(region: str = "us-east-1", **settings: Any) -> Any:
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    client = boto3.client("lambda", region)
    client.create_function(
        FunctionName="f",
        Role=role,
        Runtime="python3.11",
        Handler="app.handler",
        **{"Code": {"ZipFile": bundle("one")}, **settings},
    )
    return client


def only(name: str, qualifier: str | None = None) -> DeployedFunction:
    routed = MotoFunctionSource().resolve(FunctionReference.parse(name, qualifier))
    assert [version.share for version in routed] == [1.0]
    return routed[0].function


def test_a_function_reads_as_get_function_describes_it() -> None:
    client = create_function(Timeout=9, MemorySize=512, Environment={"Variables": {"TABLE": "ledger"}})
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=3)
    described = client.get_function(FunctionName="f")
    configuration, function = described["Configuration"], only("f")
    assert function.arn == configuration["FunctionArn"]
    assert function.version == configuration["Version"]
    assert function.handler == configuration["Handler"]
    assert function.runtime == configuration["Runtime"]
    assert function.timeout == configuration["Timeout"] == 9
    assert function.memory == configuration["MemorySize"] == 512
    assert function.environment == configuration["Environment"]["Variables"]
    assert function.reserved_concurrency == described["Concurrency"]["ReservedConcurrentExecutions"]
    assert base64.b64encode(bytes.fromhex(function.code.sha256)).decode() == configuration["CodeSha256"]
    assert function.code.read() == bundle("one")
    assert function.asynchronous == AsynchronousPolicy()


def test_a_published_version_keeps_its_code_and_settings() -> None:
    client = create_function(Environment={"Variables": {"STAGE": "1"}})
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    client.update_function_code(FunctionName="f", ZipFile=bundle("two"))
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"STAGE": "2"}}, Timeout=20)
    old, latest = only("f", "1"), only("f", "$LATEST")
    assert (old.version, old.code.read(), old.environment, old.timeout) == ("1", bundle("one"), {"STAGE": "1"}, 3)
    assert (latest.version, latest.code.read(), latest.environment) == ("$LATEST", bundle("two"), {"STAGE": "2"})
    assert old.arn == latest.arn


def test_an_alias_leads_to_its_versions_with_their_weights() -> None:
    client = create_function()
    client.publish_version(FunctionName="f")
    client.update_function_code(FunctionName="f", ZipFile=bundle("two"))
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    client.create_alias(
        FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}}
    )
    routed = MotoFunctionSource().resolve(FunctionReference.parse("f:live"))
    assert [(version.function.version, version.share) for version in routed] == [("1", 0.75), ("2", 0.25)]
    client.update_alias(
        FunctionName="f", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert only("f", "live").version == "2"


def test_layers_keep_their_order_and_content() -> None:
    client = boto3.client("lambda", "us-east-1")
    arns = [
        client.publish_layer_version(LayerName=name, Content={"ZipFile": bundle(name)})["LayerVersionArn"]
        for name in ("first", "second")
    ]
    create_function(Layers=arns)
    assert [layer.read() for layer in only("f").layers] == [bundle("first"), bundle("second")]


def test_the_event_invoke_config_is_the_policy() -> None:
    client = create_function()
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=90)
    assert only("f").asynchronous == AsynchronousPolicy(0, 90)


def test_code_in_a_bucket_is_read_like_code_in_the_request() -> None:
    bucket = boto3.client("s3", "us-east-1")
    bucket.create_bucket(Bucket="assets")
    bucket.put_object(Bucket="assets", Key="f.zip", Body=bundle("from s3"))
    create_function(Code={"S3Bucket": "assets", "S3Key": "f.zip"})
    assert only("f").code.read() == bundle("from s3")


def test_a_function_of_another_region_is_found_by_its_arn_only() -> None:
    create_function("eu-west-1")
    assert only("arn:aws:lambda:eu-west-1:123456789012:function:f").region == "eu-west-1"
    with pytest.raises(FunctionNotFound, match=r"Function not found: arn:aws:lambda:us-east-1:123456789012:function:f"):
        only("f")


@pytest.mark.parametrize("qualifier", ["7", "no-such-alias"])
def test_an_unknown_version_or_alias_is_named_in_the_refusal(qualifier: str) -> None:
    create_function()
    with pytest.raises(FunctionNotFound, match=f"function:f:{qualifier}$"):
        only("f", qualifier)


def test_a_container_image_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_LAMBDA_STUB_ECR", "TRUE")
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/f@sha256:" + "0" * 64
    create_function(PackageType="Image", Code={"ImageUri": image})
    with pytest.raises(InvalidRuntime):
        only("f")
