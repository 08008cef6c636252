"""What a deployment has to know of a cloud that everybody reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.permissions.verbs import NO_PERMISSIONS, Permissions
from infra.settings import Settings
from infra.targets import Targets


def _no_permissions(_stack: Stack, _targets: Targets) -> Permissions:
    return NO_PERMISSIONS


def _nothing_to_list(_targets: Targets) -> Sequence[iam.PolicyStatement]:
    return ()


class PublicCloud(NamedTuple):
    """One cloud: `name` is its folder under `lambdas/`, and what requests call it.

    `environment` is what the function for one verb (or `sweep`, or `costs`) must be told of it besides the ledger;
    `default_target` is the target of resources that name none, None where the deployment has none there. `permissions`
    are what the verbs may do in AWS, and `listing` what the sweep may. Functions have the requirements of the cloud's
    own folder, unless `dependencies` names another, and `memory` in MB. One that has to tell others which verb it is
    finds it in the variable `verb_variable`. Where the cloud trusts our roles (`trusted`), their ARNs are put out.
    """

    name: str
    environment: Callable[[Settings, str], dict[str, str]]
    default_target: Callable[[Settings], dict[str, str] | None]
    permissions: Callable[[Stack, Targets], Permissions] = _no_permissions
    listing: Callable[[Targets], Sequence[iam.PolicyStatement]] = _nothing_to_list
    dependencies: str | None = None
    memory: int = 256
    verb_variable: str = ""
    trusted: bool = True

    @property
    def folder(self) -> str:
        """The folder under `lambdas/` whose requirements its functions have."""
        return self.name if self.dependencies is None else self.dependencies

    def verb(self, verb: str) -> dict[str, str]:
        """What a function is told of the verb that it is there for."""
        return {self.verb_variable: verb} if self.verb_variable else {}
