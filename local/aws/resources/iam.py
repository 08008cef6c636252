"""IAM roles, inline and managed policies, and instance profiles; nothing of it is enforced here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import arguments, refuse_others


class Role(ApiProvider):
    """AWS::IAM::Role with its inline policies and attached managed ones."""

    resource_type = "AWS::IAM::Role"
    service = "iam"
    create_only = frozenset({"RoleName", "Path"})
    name_property = "RoleName"
    name_limit = 64

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the role, then put and attach its policies."""
        named = self.named(place, properties)
        inline, managed = named.pop("Policies", []), named.pop("ManagedPolicyArns", [])
        client = place.client("iam")
        role = client.create_role(**arguments(client, "create_role", named))["Role"]
        made = Resource(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        with all_or_nothing(lambda: _delete_role(client, role["RoleName"])):
            _set_policies(client, role["RoleName"], [], inline)
            _set_attached(client, role["RoleName"], [], managed)
        return made

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change trust, settings and policies."""
        client, name = place.client("iam"), resource.physical_id
        if before["AssumeRolePolicyDocument"] != after["AssumeRolePolicyDocument"]:
            document = json.dumps(after["AssumeRolePolicyDocument"])
            client.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        settings = {key: after[key] for key in ("Description", "MaxSessionDuration") if key in after}
        client.update_role(RoleName=name, **arguments(client, "update_role", settings))
        _set_policies(client, name, before.get("Policies", []), after.get("Policies", []))
        _set_attached(client, name, before.get("ManagedPolicyArns", []), after.get("ManagedPolicyArns", []))
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Detach and delete all that hangs on the role, then the role."""
        _delete_role(place.client("iam"), resource.physical_id)


class Policy:
    """AWS::IAM::Policy: one inline policy, on roles."""

    resource_type = "AWS::IAM::Policy"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Put the policy on each role; users and groups are not supported."""
        refuse_others(properties, ("PolicyName", "PolicyDocument", "Roles"))
        client = place.client("iam")
        for role in properties.get("Roles", []):
            _set_policies(client, role, [], [properties])
        return Resource(properties["PolicyName"])

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Never: a renamed policy is put anew and taken away under its old name."""
        return False

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put it where it belongs now, and take it from where it was."""
        made = self.create(place, after)
        kept = set(after.get("Roles", [])) if before["PolicyName"] == after["PolicyName"] else set()
        self._take_from(place, before, [role for role in before.get("Roles", []) if role not in kept])
        return made

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Take the policy from each role that is still there."""
        self._take_from(place, properties, properties.get("Roles", []))

    @staticmethod
    def _take_from(place: Place, properties: Properties, roles: Iterable[str]) -> None:
        client = place.client("iam")
        for role in roles:
            _set_policies(client, role, [properties], [])


class ManagedPolicy:
    """AWS::IAM::ManagedPolicy, attached to roles."""

    resource_type = "AWS::IAM::ManagedPolicy"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the policy and attach it."""
        client = place.client("iam")
        wanted = {"PolicyName": place.generated_name(128)}
        wanted |= {_api_name(key): value for key, value in properties.items() if key != "Roles"}
        arn = client.create_policy(**arguments(client, "create_policy", wanted))["Policy"]["Arn"]
        made = Resource(arn, {"PolicyArn": arn})
        with all_or_nothing(lambda: self.delete(place, made, properties)):
            for role in properties.get("Roles", []):
                client.attach_role_policy(RoleName=role, PolicyArn=arn)
        return made

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Where the name, path or description changes."""
        return any(before.get(key) != after.get(key) for key in ("ManagedPolicyName", "Path", "Description"))

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Publish a new default version and attach to the roles named now."""
        client, arn = place.client("iam"), resource.physical_id
        if before["PolicyDocument"] != after["PolicyDocument"]:
            old = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = json.dumps(after["PolicyDocument"])
            client.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
            client.delete_policy_version(PolicyArn=arn, VersionId=old)
        for role in set(before.get("Roles", [])) - set(after.get("Roles", [])):
            client.detach_role_policy(RoleName=role, PolicyArn=arn)
        for role in set(after.get("Roles", [])) - set(before.get("Roles", [])):
            client.attach_role_policy(RoleName=role, PolicyArn=arn)
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Detach it everywhere and delete it."""
        client = place.client("iam")
        try:
            attached = client.list_entities_for_policy(PolicyArn=resource.physical_id)["PolicyRoles"]
            for role in attached:
                client.detach_role_policy(RoleName=role["RoleName"], PolicyArn=resource.physical_id)
            client.delete_policy(PolicyArn=resource.physical_id)
        except client.exceptions.NoSuchEntityException:
            return


def _api_name(key: str) -> str:
    return "PolicyName" if key == "ManagedPolicyName" else key


def _delete_role(client: Any, name: str) -> None:
    try:
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=policy)
        for attached in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        client.delete_role(RoleName=name)
    except client.exceptions.NoSuchEntityException:
        return


def _set_policies(client: Any, role: str, before: list[Any], after: list[Any]) -> None:
    wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in after}
    for name, document in wanted.items():
        client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    for policy in before:
        if policy["PolicyName"] not in wanted:
            try:
                client.delete_role_policy(RoleName=role, PolicyName=policy["PolicyName"])
            except client.exceptions.NoSuchEntityException:
                continue


def _set_attached(client: Any, role: str, before: list[str], after: list[str]) -> None:
    for arn in after:
        if arn not in before:
            client.attach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in before:
        if arn not in after:
            client.detach_role_policy(RoleName=role, PolicyArn=arn)


PROVIDERS = (Role(), Policy(), ManagedPolicy())
