"""Valid requests as documents, to be changed by the test that needs a wrong one."""

from __future__ import annotations

from typing import Any

SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5SECRETMATERIAL ops@example.com"


def aws_disk(resource_id: str = "data-aws", **changes: Any) -> dict[str, Any]:
    """A disk on AWS."""
    spec = {"zone": "eu-west-1a", "size_gb": 8}
    return {"id": resource_id, "provider": "aws", "kind": "disk", "region": "eu-west-1", "spec": spec, **changes}


def aws_instance(resource_id: str = "web-aws", *, disks: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """An instance on AWS, with those disks attached."""
    spec: dict[str, Any] = {"image": "ami-0abc1234", "size": "t3.micro", "disks": list(disks)}
    return {"id": resource_id, "provider": "aws", "kind": "instance", "region": "eu-west-1", "spec": spec, **changes}


def azure_instance(resource_id: str = "web-azure", **changes: Any) -> dict[str, Any]:
    """An instance on Azure."""
    spec = {
        "image": "Canonical:ubuntu-24_04-lts:server:latest",
        "size": "Standard_B1s",
        "resource_group": "shop",
        "admin_username": "ops",
        "ssh_public_key": SSH_KEY,
    }
    return {
        "id": resource_id,
        "provider": "azure",
        "kind": "instance",
        "region": "westeurope",
        "spec": spec,
        **changes,
    }


def gcp_instance(resource_id: str = "web-gcp", **changes: Any) -> dict[str, Any]:
    """An instance on Google Cloud."""
    spec = {"image": "projects/debian-cloud/global/images/family/debian-12", "size": "e2-small"}
    return {
        "id": resource_id,
        "provider": "gcp",
        "kind": "instance",
        "zone": "europe-west1-b",
        "spec": spec,
        **changes,
    }


def vsphere_instance(resource_id: str = "web-private", **placement: Any) -> dict[str, Any]:
    """A machine on whichever vSphere cluster suits it."""
    return {
        "id": resource_id,
        "provider": "vsphere",
        "kind": "instance",
        "placement": {"cpu": 2, "memory_gb": 4, "disk_gb": 20, **placement},
        "spec": {"image": "ubuntu-24.04"},
    }


def request_document(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A request of those resources, or of one instance on each of three clouds."""
    some = resources or (aws_instance(), azure_instance(), gcp_instance())
    return {"name": "checkout", "labels": {"team": "payments"}, "resources": list(some), **changes}
