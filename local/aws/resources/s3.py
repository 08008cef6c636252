"""S3 buckets with encryption, versioning, lifecycle and access block, and bucket policies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import UnsupportedProperty, arguments, refuse_others

# property -> (the call that sets it, the argument it goes into)
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "BucketEncryption": ("put_bucket_encryption", "ServerSideEncryptionConfiguration"),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", "LifecycleConfiguration"),
    "OwnershipControls": ("put_bucket_ownership_controls", "OwnershipControls"),
    "PublicAccessBlockConfiguration": ("put_public_access_block", "PublicAccessBlockConfiguration"),
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration"),
    "AccessControl": ("put_bucket_acl", "ACL"),
    "Tags": ("put_bucket_tagging", "Tagging"),
}


# the properties of a lifecycle rule that are one in the API
_EXPIRATION: Mapping[str, str] = {
    "ExpirationInDays": "Days",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}


class Bucket(ApiProvider):
    """AWS::S3::Bucket; one that holds objects cannot be deleted, as on AWS."""

    resource_type = "AWS::S3::Bucket"
    service = "s3"
    delete_call = "delete_bucket"
    create_only = frozenset({"BucketName"})
    gone_codes = frozenset({"NoSuchBucket"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the bucket, then set what it is to be like."""
        refuse_others(properties, {*_SETTINGS, "BucketName"})
        name = properties.get("BucketName") or place.generated_name(63, lowercase=True)
        client = place.client("s3")
        where = {} if place.region == "us-east-1" else {"LocationConstraint": place.region}
        client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        with all_or_nothing(lambda: client.delete_bucket(Bucket=name)):
            _set(client, name, {}, properties)
        return _bucket(place, name)

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set what changed; a setting that the template no longer has is refused, except tags."""
        if removed := sorted(set(before) - set(after) - {"Tags"}):
            raise UnsupportedProperty(f"the properties {', '.join(removed)} cannot be removed locally")
        _set(place.client("s3"), resource.physical_id, before, after)
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"Bucket": resource.physical_id}


class BucketPolicy:
    """AWS::S3::BucketPolicy; kept to be read back, not enforced."""

    resource_type = "AWS::S3::BucketPolicy"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Put the policy."""
        refuse_others(properties, ("Bucket", "PolicyDocument"))
        document = json.dumps(properties["PolicyDocument"])
        place.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=document)
        return Resource(properties["Bucket"], {"Bucket": properties["Bucket"]})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Where it is another bucket's."""
        return bool(before["Bucket"] != after["Bucket"])

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put the policy over the old one."""
        return self.create(place, after)

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Take the policy away."""
        try:
            place.client("s3").delete_bucket_policy(Bucket=properties["Bucket"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise


def _bucket(place: Place, name: str) -> Resource:
    attributes = {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{place.region}.amazonaws.com",
    }
    return Resource(name, attributes)


def _set(client: Any, bucket: str, before: Properties, after: Properties) -> None:
    for name, (call, argument) in _SETTINGS.items():
        if name in after and after[name] != before.get(name):
            wanted = {"Bucket": bucket, argument: _api_form(name, after[name])}
            getattr(client, call)(**arguments(client, call, wanted))


def _api_form(name: str, value: Any) -> Any:
    if name == "AccessControl":
        return re.sub(r"(?<!^)([A-Z])", r"-\1", value).lower()  # LogDeliveryWrite is the API's log-delivery-write
    if name == "Tags":
        return {"TagSet": value}
    if name == "BucketEncryption":
        rules = value["ServerSideEncryptionConfiguration"]
        renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
        return {"Rules": [{renamed.get(key, key): each for key, each in rule.items()} for rule in rules]}
    if name == "LifecycleConfiguration":
        return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}
    return value


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's flat rule in the API's nested form; the rest stays, for the API's shape to refuse."""
    wanted = {key: value for key, value in rule.items() if key not in ("Id", "Prefix", *_EXPIRATION)}
    wanted |= {"ID": rule["Id"]} if "Id" in rule else {}
    wanted["Filter"] = {"Prefix": rule.get("Prefix", "")}
    if expiration := {name: rule[key] for key, name in _EXPIRATION.items() if key in rule}:
        wanted["Expiration"] = expiration
    return wanted


PROVIDERS = (Bucket(), BucketPolicy())
