"""Deploys a cloud assembly into the local account as `cdk deploy --all` would, without the CLI's start-up time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.assembly import AssemblyStack, FileAsset, read_assembly
from local.aws.assets import publish
from local.aws.clients import create_client
from local.aws.cloudformation.template import parse

Outputs = dict[str, dict[str, str]]

BOOTSTRAP_VERSION = "30"  # what this version of the CDK's bootstrap template calls itself; the CDK asks for 6 or more
_BOOTSTRAP_PARAMETER = "BootstrapVersion"
_LOOK_SECONDS = 0.2
_SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"})


class DeploymentFailed(Exception):
    """A stack did not end well; the message holds its status and each failed resource with its reason."""


def deploy(
    assembly_dir: Path,
    endpoint: str,
    *,
    cache_dir: Path,
    region: str = "us-east-1",
    account_id: str = "123456789012",
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    only: Collection[str] | None = None,
    stands: Callable[[str], object] = lambda _: None,
) -> Outputs:
    """Publish the assembly's files and create or update its stacks in order; the outputs by stack name and key.

    The files of a stack are there before it is made; those of later ones are on their way meanwhile.

    `parameters` are by stack name; `only` names the stacks that are wanted, where not all are; `stands` is told each
    one's name as soon as it stands. What has not changed is left alone, so a repetition does nothing; a stack that a
    failed creation left behind is deleted first. DeploymentFailed tells which stack and resource failed and why; stacks
    before it stay. Folders are zipped into `cache_dir`, by asset id.
    """
    stacks = [it for it in read_assembly(assembly_dir, account_id, region) if only is None or it.name in only]
    aws = _Clients(endpoint, region)
    outputs: Outputs = {}
    with ThreadPoolExecutor(1, "publish") as publisher:
        published = {stack.name: publisher.submit(aws.publish_assets, stack.assets, cache_dir) for stack in stacks}
        try:
            for stack in stacks:
                published[stack.name].result()
                outputs[stack.name] = aws.deploy_stack(stack, (parameters or {}).get(stack.name, {}))
                stands(stack.name)
        finally:
            publisher.shutdown(cancel_futures=True)
    return outputs


class _Clients:
    """The calls of one deployment."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._region = region
        self._published: set[tuple[str, str]] = set()
        self._s3 = create_client("s3", endpoint, region)
        self._ssm = create_client("ssm", endpoint, region)
        self._cloudformation = create_client("cloudformation", endpoint, region)

    def publish_assets(self, assets: Iterable[FileAsset], cache_dir: Path) -> None:
        """Make the buckets that are missing and put every asset once."""
        new = {(asset.bucket, asset.key): asset for asset in assets if (asset.bucket, asset.key) not in self._published}
        for bucket in sorted({bucket for bucket, _ in new}):
            self._ensure_bucket(bucket)
        for asset in new.values():
            publish(asset, self._s3, cache_dir)
        self._published |= new.keys()

    def deploy_stack(self, stack: AssemblyStack, overrides: Mapping[str, str]) -> dict[str, str]:
        """Create or update one stack; its outputs."""
        body = stack.template.read_text()
        self._ensure_bootstrapped(body)
        given = {**stack.parameters, **overrides}
        request: dict[str, Any] = {
            "StackName": stack.name,
            "TemplateBody": body,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        current = self._status(stack.name)
        if current in _UNUSABLE:
            self._cloudformation.delete_stack(StackName=stack.name)
            current = self._status(stack.name)
        if current is None:
            self._cloudformation.create_stack(**request)
        elif not self._update(request):
            return self._outputs(stack.name)
        self._cloudformation.update_termination_protection(
            StackName=stack.name, EnableTerminationProtection=stack.termination_protection
        )
        return self._outputs(stack.name)

    def _update(self, request: Mapping[str, Any]) -> bool:
        try:
            self._cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return False
            raise
        return True

    def _outputs(self, name: str) -> dict[str, str]:
        (found,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        while found["StackStatus"].endswith("_IN_PROGRESS"):
            time.sleep(_LOOK_SECONDS)
            (found,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        if found["StackStatus"] not in _SUCCEEDED:
            raise DeploymentFailed(f"{name} is {found['StackStatus']}{self._failures(name)}")
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def _failures(self, name: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
        lines = [
            f"{event['ResourceStatus']} {event['LogicalResourceId']} ({event['ResourceType']}): "
            f"{event.get('ResourceStatusReason', 'no reason given')}"
            for event in failed
        ]
        return "".join(f"\n  {line}" for line in lines)

    def _status(self, name: str) -> str | None:
        try:
            return str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def _ensure_bucket(self, bucket: str) -> None:
        try:
            self._s3.head_bucket(Bucket=bucket)
        except ClientError:
            elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
            self._s3.create_bucket(Bucket=bucket, **({} if self._region == "us-east-1" else elsewhere))

    def _ensure_bootstrapped(self, body: str) -> None:
        """The parameter that a template of the default synthesizer looks up must be there."""
        declared = parse(body).parameters.get(_BOOTSTRAP_PARAMETER)
        if declared is None:
            return
        try:
            self._ssm.get_parameter(Name=declared["Default"])
        except self._ssm.exceptions.ParameterNotFound:
            self._ssm.put_parameter(Name=declared["Default"], Value=BOOTSTRAP_VERSION, Type="String")
