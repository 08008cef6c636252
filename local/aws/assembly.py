"""A cloud assembly, what `cdk synth` leaves behind: stacks, their order, and the files they need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any


class UnsupportedAssembly(ValueError):
    """The assembly holds something that cannot be deployed here; the message names it."""


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file or, where `is_directory`, a folder to be zipped, and the S3 object it becomes."""

    asset_id: str
    source: Path
    is_directory: bool
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class AssemblyStack:
    """One stack to deploy, the ids of the stacks before it, and what it needs in S3."""

    artifact_id: str
    name: str
    template: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    termination_protection: bool
    assets: tuple[FileAsset, ...]


def read_assembly(directory: Path, account_id: str, region: str) -> list[AssemblyStack]:
    """The stacks of `directory` in an order in which each comes after those it depends on.

    An environment-agnostic stack goes to `account_id` and `region`. UnsupportedAssembly names an artifact that is
    neither a stack nor its assets, and container images; FileNotFoundError means that nothing was synthesized there.
    """
    artifacts = json.loads((directory / "manifest.json").read_text())["artifacts"]
    stacks: dict[str, AssemblyStack] = {}
    needs: dict[str, list[str]] = {}
    for artifact_id, artifact in artifacts.items():
        kind = artifact["type"]
        if kind == "aws:cloudformation:stack":
            stacks[artifact_id] = _stack(directory, artifact_id, artifact, artifacts, account_id, region)
            needs[artifact_id] = artifact.get("dependencies", [])
        elif kind == "cdk:cloud-assembly":
            raise UnsupportedAssembly(f"{artifact_id} is a stage, which is not supported locally")
    return [stacks[each] for each in TopologicalSorter(needs).static_order() if each in stacks]


def _stack(
    directory: Path, artifact_id: str, artifact: Any, artifacts: Mapping[str, Any], account_id: str, region: str
) -> AssemblyStack:
    properties = artifact["properties"]
    assets = [
        asset
        for dependency in artifact.get("dependencies", [])
        if artifacts[dependency]["type"] == "cdk:asset-manifest"
        for asset in _assets(directory / artifacts[dependency]["properties"]["file"], account_id, region)
    ]
    return AssemblyStack(
        artifact_id=artifact_id,
        name=properties.get("stackName", artifact_id),
        template=directory / properties["templateFile"],
        parameters=properties.get("parameters", {}),
        tags=properties.get("tags", {}),
        termination_protection=properties.get("terminationProtection", False),
        assets=tuple(asset for asset in assets if asset.source != directory / properties["templateFile"]),
    )


def _assets(manifest: Path, account_id: str, region: str) -> list[FileAsset]:
    document = json.loads(manifest.read_text())
    if images := document.get("dockerImages"):
        raise UnsupportedAssembly(f"{manifest.name} has container images, which are not supported: {sorted(images)}")
    return [
        FileAsset(
            asset_id=asset_id,
            source=_source(manifest, asset_id, asset["source"]),
            is_directory=asset["source"]["packaging"] == "zip",
            bucket=_placed(destination["bucketName"], account_id, region),
            key=_placed(destination["objectKey"], account_id, region),
        )
        for asset_id, asset in document.get("files", {}).items()
        for destination in asset["destinations"].values()
    ]


def _source(manifest: Path, asset_id: str, source: Mapping[str, Any]) -> Path:
    if "path" not in source:
        raise UnsupportedAssembly(f"the asset {asset_id} of {manifest.name} is made by a command")
    return manifest.parent / str(source["path"])


def _placed(text: str, account_id: str, region: str) -> str:
    known = {"${AWS::AccountId}": account_id, "${AWS::Region}": region, "${AWS::Partition}": "aws"}
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text
