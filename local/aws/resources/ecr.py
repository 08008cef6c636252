"""ECR repositories, which the CDK's bootstrap template wants; no image is ever needed here."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import arguments


class Repository(ApiProvider):
    """AWS::ECR::Repository."""

    resource_type = "AWS::ECR::Repository"
    service = "ecr"
    create_only = frozenset({"RepositoryName", "EncryptionConfiguration"})
    gone_codes = frozenset({"RepositoryNotFoundException"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the repository and set its policies."""
        client = place.client("ecr")
        named = {"RepositoryName": place.generated_name(256, lowercase=True), **properties}
        policies = {key: named.pop(key, None) for key in ("LifecyclePolicy", "RepositoryPolicyText")}
        made = client.create_repository(**arguments(client, "create_repository", named))["repository"]
        with all_or_nothing(lambda: client.delete_repository(repositoryName=made["repositoryName"])):
            _set_policies(client, made["repositoryName"], policies)
        uri = made["repositoryUri"]
        return Resource(made["repositoryName"], {"Arn": made["repositoryArn"], "RepositoryUri": uri})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set the policies again."""
        _set_policies(place.client("ecr"), resource.physical_id, after)
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Delete it with what is in it."""
        client = place.client("ecr")
        try:
            client.delete_repository(repositoryName=resource.physical_id, force=True)
        except client.exceptions.RepositoryNotFoundException:
            return


def _set_policies(client: Any, name: str, policies: Properties) -> None:
    if lifecycle := policies.get("LifecyclePolicy"):
        client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle["LifecyclePolicyText"])
    if text := policies.get("RepositoryPolicyText"):
        client.set_repository_policy(
            repositoryName=name, policyText=text if isinstance(text, str) else json.dumps(text)
        )


PROVIDERS = (Repository(),)
