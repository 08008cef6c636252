"""What EC2 would refuse: asked by dry run, and reckoned from the quota of vCPUs.

A dry run checks permissions and parameters; it does not look at quotas or capacity. Of the quotas only the one for
standard instances is reckoned; a family with another quota, volumes and addresses are left to EC2 to refuse.
Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (DryRun) and
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdas.aws import bodies
from lambdas.aws.clients import AwsClients
from lambdas.aws.errors import translate
from lambdas.core.errors import RetryableError, StepError
from lambdas.core.model import Intent
from lambdas.core.preflight import Allowance, Demand, Quota, Shortage, exceeded, refused
from lambdas.core.specs import AwsInstance

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

STANDARD_VCPUS: Final = "L-1216C47A"
_QUOTA_NAME: Final = f"Running On-Demand Standard instances, vCPUs ({STANDARD_VCPUS})"
_STANDARD_FAMILIES: Final = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
_FAMILY: Final = re.compile(r"[a-z]+")
_COUNTED: Final[Sequence[FilterTypeDef]] = ({"Name": "instance-state-name", "Values": ["pending", "running"]},)
_TYPES_PER_CALL: Final = 100


def shortages(clients: AwsClients, intents: Sequence[Intent]) -> list[Shortage]:
    """Everything that EC2 would refuse of the intents together, in the regions they are for."""
    found: list[Shortage] = []
    launches: dict[str, list[tuple[Intent, AwsInstance]]] = {}
    for intent in intents:
        if isinstance(intent.definition, AwsInstance):
            launches.setdefault(intent.definition.region, []).append((intent, intent.definition))
    for region, here in launches.items():
        ec2 = clients.ec2(region)
        refusals = [it for intent, definition in here if (it := _dry_run(ec2, intent, definition))]
        doomed = {it for refusal in refusals for it in refusal.resources}
        standing = {i.resource_id: d.spec.size for i, d in here if i.resource_id not in doomed and _standard(d)}
        found += refusals
        found += _vcpus(ec2, clients.quotas(region), region, standing)
    return found


def _dry_run(ec2: EC2Client, intent: Intent, definition: AwsInstance) -> Shortage | None:
    """The refusal that a launch would meet; EC2 answers a dry run that would succeed with an error, too."""
    try:
        ec2.run_instances(**bodies.instance(ec2, intent, definition, intent.token("dry-run")), DryRun=True)
    except ClientError as error:
        if error.response["Error"]["Code"] == "DryRunOperation":
            return None
        return _refusal(intent, definition, translate(error))
    except StepError as error:
        return _refusal(intent, definition, error)
    return None


def _refusal(intent: Intent, definition: AwsInstance, error: StepError) -> Shortage:
    if isinstance(error, RetryableError):
        raise error
    return refused(intent.resource_id, definition.region, error)


def _standard(definition: AwsInstance) -> bool:
    return _is_standard(definition.spec.size)


def _is_standard(size: str) -> bool:
    family = _FAMILY.match(size)
    return family is not None and family[0] in _STANDARD_FAMILIES


def _vcpus(ec2: EC2Client, quotas: Any, region: str, sizes: Mapping[str, str]) -> list[Shortage]:
    limit = _limit(quotas) if sizes else None
    if limit is None:
        return []
    running = [size for size in _running(ec2) if _is_standard(size)]
    vcpus = _vcpus_of(ec2, {*sizes.values(), *running})
    quota = Quota(_QUOTA_NAME, region)
    demands = [Demand(resource_id, quota, vcpus.get(size, 0)) for resource_id, size in sizes.items()]
    return exceeded(demands, {quota: Allowance(limit, sum(vcpus.get(size, 0) for size in running))})


def _limit(quotas: Any) -> float | None:
    """The quota's value in this region, in vCPUs; None where Service Quotas does not know it."""
    try:
        answer = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=STANDARD_VCPUS)
    except quotas.exceptions.NoSuchResourceException:
        return None
    return float(answer["Quota"]["Value"])


def _running(ec2: EC2Client) -> Iterator[str]:
    for page in ec2.get_paginator("describe_instances").paginate(Filters=_COUNTED):
        yield from (it["InstanceType"] for group in page["Reservations"] for it in group["Instances"])


def _vcpus_of(ec2: EC2Client, sizes: set[str]) -> dict[str, int]:
    ordered: list[Any] = sorted(sizes)
    found: dict[str, int] = {}
    for start in range(0, len(ordered), _TYPES_PER_CALL):
        answer = ec2.describe_instance_types(InstanceTypes=ordered[start : start + _TYPES_PER_CALL])
        found |= {it["InstanceType"]: it["VCpuInfo"]["DefaultVCpus"] for it in answer["InstanceTypes"]}
    return found
