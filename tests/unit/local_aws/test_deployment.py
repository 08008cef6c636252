"""A cloud assembly, deployed as local mode does it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local.aws.assembly import FileAsset, UnsupportedAssembly, read_assembly
from local.aws.assets import packaged
from local.aws.deployment import DeploymentFailed, deploy
from tests.unit.local_aws.conftest import Account

BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
BOOTSTRAP = {
    "BootstrapVersion": {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/cdk-bootstrap/hnb659fds/version",
    }
}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ]
        }
    },
}


class Assembly:
    """A cloud assembly as `cdk synth` writes one, made by hand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.artifacts: dict[str, Any] = {}

    def stack(self, name: str, resources: Any, *, after: tuple[str, ...] = (), **more: Any) -> None:
        template = {"Resources": resources, "Parameters": BOOTSTRAP, "Outputs": more.get("outputs", {})}
        (self.directory / f"{name}.template.json").write_text(json.dumps(template))
        assets = {"version": "54.0.0", "files": more.get("files", {}), "dockerImages": more.get("images", {})}
        (self.directory / f"{name}.assets.json").write_text(json.dumps(assets))
        self.artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.template.json", **more.get("properties", {})},
            "dependencies": [*after, f"{name}.assets"],
        }
        self.write()

    def write(self) -> None:
        (self.directory / "manifest.json").write_text(json.dumps({"version": "54.0.0", "artifacts": self.artifacts}))

    def folder(self, asset_id: str, source: str) -> Any:
        """A folder with one module, as a file asset."""
        folder = self.directory / f"asset.{asset_id}"
        folder.mkdir(exist_ok=True)
        (folder / "index.py").write_text(source)
        return {asset_id: _file(folder.name, "zip", f"{asset_id}.zip")}


def _file(path: str, packaging: str, key: str) -> Any:
    destinations = {"current": {"bucketName": BUCKET, "objectKey": key}}
    return {"source": {"path": path, "packaging": packaging}, "destinations": destinations}


def function(asset_id: str) -> Any:
    code = {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": f"{asset_id}.zip"}
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": code, "Role": role, "Handler": "index.handler", "Runtime": "python3.11"},
    }


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    directory = tmp_path / "cdk.out"
    directory.mkdir()
    return Assembly(directory)


def deployed(assembly: Assembly, account: Account, **more: Any) -> dict[str, dict[str, str]]:
    return deploy(assembly.directory, account.url, cache_dir=assembly.directory.parent / "cache", **more)


def queue(**properties: Any) -> Any:
    return {"Q": {"Type": "AWS::SQS::Queue", "Properties": properties}}


def exported(value: Any) -> Any:
    return {"Out": {"Value": value, "Export": {"Name": "shared"}}}


def test_files_are_published_and_stacks_deployed_in_order(assembly: Assembly, account: Account) -> None:
    shared = {
        "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "shared"}}}
    }
    assembly.stack("Second", shared, after=("First",))
    files = assembly.folder("abc", "def handler(e, c): return e")
    resources = {"Role": ROLE, "F": function("abc")}
    assembly.stack("First", resources, files=files, outputs=exported({"Ref": "F"}))
    outputs = deployed(assembly, account)
    assert list(outputs) == ["First", "Second"]
    name = outputs["First"]["Out"]
    assert account.client("lambda").get_function(FunctionName=name)["Configuration"]["Handler"] == "index.handler"


def test_a_repetition_changes_nothing_and_says_the_same(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", queue(), outputs=exported({"Ref": "Q"}))
    first = deployed(assembly, account)
    events = account.client("cloudformation").describe_stack_events(StackName="S")["StackEvents"]
    assert deployed(assembly, account) == first
    assert account.client("cloudformation").describe_stack_events(StackName="S")["StackEvents"] == events


def test_a_change_is_an_update(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", queue(VisibilityTimeout=10), outputs=exported({"Ref": "Q"}))
    url = deployed(assembly, account)["S"]["Out"]
    assembly.stack("S", queue(VisibilityTimeout=20), outputs=exported({"Ref": "Q"}))
    assert deployed(assembly, account)["S"]["Out"] == url
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"] == {"VisibilityTimeout": "20"}


def test_a_failure_names_stack_resource_and_reason(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", queue(VisibilityTimeout=10, NoSuchProperty=1))
    with pytest.raises(DeploymentFailed, match=r"S is ROLLBACK_COMPLETE(.|\n)*CREATE_FAILED Q .*NoSuchProperty"):
        deployed(assembly, account)


def test_a_stack_that_failed_to_create_is_made_anew(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", queue(NoSuchProperty=1))
    with pytest.raises(DeploymentFailed):
        deployed(assembly, account)
    assembly.stack("S", queue(), outputs=exported({"Ref": "Q"}))
    assert "Out" in deployed(assembly, account)["S"]


def test_a_failed_update_is_rolled_back_and_fails_the_deployment(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", queue(VisibilityTimeout=10), outputs=exported({"Ref": "Q"}))
    url = deployed(assembly, account)["S"]["Out"]
    assembly.stack("S", queue(VisibilityTimeout=20, NoSuchProperty=1))
    with pytest.raises(DeploymentFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        deployed(assembly, account)
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"] == {"VisibilityTimeout": "10"}


def test_names_tags_parameters_and_protection_of_a_stack_are_taken(assembly: Assembly, account: Account) -> None:
    settings = {"stackName": "renamed", "tags": {"team": "payments"}, "terminationProtection": True}
    assembly.stack("S", queue(), properties=settings)
    assert list(deployed(assembly, account)) == ["renamed"]
    (stack,) = account.client("cloudformation").describe_stacks(StackName="renamed")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "payments"}]
    assert stack["EnableTerminationProtection"] is True


def test_another_region_gets_its_own_bucket_and_stacks(assembly: Assembly, account: Account) -> None:
    assembly.stack("S", {"Role": ROLE, "F": function("abc")}, files=assembly.folder("abc", "x = 1"))
    deployed(assembly, account, region="eu-west-1")
    assert len(account.client("lambda", "eu-west-1").list_functions()["Functions"]) == 1
    assert account.client("lambda").list_functions()["Functions"] == []


def test_a_folder_is_zipped_once_and_always_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "two.py").write_text("2")
    (folder / "a.py").write_text("1")
    asset = FileAsset("id", folder, is_directory=True, bucket="b", key="k")
    first = packaged(asset, tmp_path / "one").read_bytes()
    (folder / "a.py").touch()
    assert packaged(asset, tmp_path / "two").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "one" / "id.zip") as archive:
        assert archive.namelist() == ["a.py", "b/two.py"]
    (folder / "a.py").write_text("an asset's id stands for its content")
    assert packaged(asset, tmp_path / "one").read_bytes() == first


def test_a_file_is_put_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "definition.json"
    asset = FileAsset("id", source, is_directory=False, bucket="b", key="k")
    assert packaged(asset, tmp_path) == source


def test_what_cannot_be_deployed_here_is_refused_by_name(assembly: Assembly) -> None:
    assembly.stack("S", queue(), images={"abc": {}})
    with pytest.raises(UnsupportedAssembly, match="container images"):
        read_assembly(assembly.directory, "1", "r")
    assembly.artifacts = {"Prod": {"type": "cdk:cloud-assembly"}}
    assembly.write()
    with pytest.raises(UnsupportedAssembly, match="Prod is a stage"):
        read_assembly(assembly.directory, "1", "r")
