"""What EC2 would refuse: asked by dry run, and reckoned from the quota of vCPUs.

A dry run checks permissions and parameters; it does not look at quotas or capacity. Of the quotas only the one for
standard instances is reckoned; a family with another quota, volumes and addresses are left to EC2 to refuse. Launches
that differ only in what they are called are one question, and what is asked of one stands for all of them.
Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (DryRun) and
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from lambdas.aws import bodies
from lambdas.aws.clients import AwsClients
from lambdas.aws.errors import translate
from lambdas.core.errors import RetryableError, StepError
from lambdas.core.model import Intent
from lambdas.core.preflight import Allowance, Demand, Quota, Shortage, exceeded, grouped, refused
from lambdas.core.specs import AwsInstance

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

MOST_LAUNCHES: Final = 20
"""Launches that are asked for in one check, over all accounts and regions, of those that differ: EC2 counts a dry run
like any request (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html), and there are 30 seconds."""

STANDARD_VCPUS: Final = "L-1216C47A"
_QUOTA_NAME: Final = f"Running On-Demand Standard instances, vCPUs ({STANDARD_VCPUS})"
_STANDARD_FAMILIES: Final = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
_FAMILY: Final = re.compile(r"[a-z]+")
_COUNTED: Final[Sequence[FilterTypeDef]] = ({"Name": "instance-state-name", "Values": ["pending", "running"]},)
_TYPES_PER_CALL: Final = 100


class _Launch(NamedTuple):
    """An instance that is to be launched."""

    intent: Intent
    definition: AwsInstance


def shortages(clients: AwsClients, intents: Sequence[Intent], most: int = MOST_LAUNCHES) -> list[Shortage]:
    """Everything that EC2 would refuse of the intents together, in the regions they are for.

    Of launches that differ, the first `most` are asked for. What is of another kind and of a size that none of these
    has, nothing is known of.
    """
    found: list[Shortage] = []
    launches = [_Launch(it, it.definition) for it in intents if isinstance(it.definition, AwsInstance)]
    for region, here in grouped(launches, lambda launch: launch.definition.region).items():
        ec2 = clients.ec2(region)
        asked = list(grouped(here, _kind).values())[:most]
        most -= len(asked)
        refusals = [it for alike in asked if (it := _dry_run(ec2, alike))]
        found += refusals
        found += _vcpus(ec2, clients.quotas(region), region, _standing(here, asked, refusals))
    return found


def _kind(launch: _Launch) -> tuple[str, str | None]:
    """All that EC2 is asked for, except what the instance is called and which disks it will have."""
    return launch.definition.spec.model_dump_json(exclude={"disks"}), bodies.zone_of(launch.intent)


def _dry_run(ec2: EC2Client, alike: Sequence[_Launch]) -> Shortage | None:
    """The refusal that such launches would meet; EC2 answers a dry run that would succeed with an error, too."""
    intent, definition = alike[0]
    try:
        ec2.run_instances(**bodies.instance(ec2, intent, definition, intent.token("dry-run")), DryRun=True)
    except ClientError as error:
        if error.response["Error"]["Code"] == "DryRunOperation":
            return None
        return _refusal(alike, translate(error))
    except StepError as error:
        return _refusal(alike, error)
    return None


def _refusal(alike: Sequence[_Launch], error: StepError) -> Shortage:
    if isinstance(error, RetryableError):
        raise error
    return refused((it.intent.resource_id for it in alike), alike[0].definition.region, error)


def _standing(
    launches: Sequence[_Launch], asked: Sequence[Sequence[_Launch]], refusals: Sequence[Shortage]
) -> dict[str, str]:
    """The sizes, by resource id, of what counts against the quota: a size that no launch would have may not exist."""
    doomed = {it for refusal in refusals for it in refusal.resources}
    sizes = {alike[0].definition.spec.size for alike in asked if alike[0].intent.resource_id not in doomed}
    return {
        intent.resource_id: definition.spec.size
        for intent, definition in launches
        if intent.resource_id not in doomed and definition.spec.size in sizes and _is_standard(definition.spec.size)
    }


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
