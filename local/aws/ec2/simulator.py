"""EC2 as a simulator: the local account's EC2, with faults, late effects, a log and an inventory around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qs

from moto.ec2.models import ec2_backends
from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Request, Response

from local.aws.ec2.application import Ec2Application
from local.aws.ec2.quotas import answer_quotas, asked_of_quotas, quotas_refusal
from local.aws.ec2.refusal import refusal
from local.aws.ec2.region import Region, Regions
from local.clock import Clock
from local.simulators.faults import Fault, FaultKind
from local.simulators.simulator import Simulator

_SIGNER: Final = re.compile(r"Credential=([^/]*)/\d{8}/([^/]+)/ec2/")
_OUT_OF_CAPACITY: Final = {
    "RunInstances": ("InsufficientInstanceCapacity", "There is no Spot or On-Demand capacity left of this type here."),
    "CreateVolume": ("InsufficientVolumeCapacity", "There is not enough capacity for this volume type here."),
}


class Ec2Simulator(Simulator):
    """EC2 of every account in every region, and its quotas; an assumed role is in its own account.

    EC2 refuses for want of capacity at once; `delay` has no meaning there.
    """

    def __init__(
        self, account_id: str, regions: Regions, ec2: Ec2Application, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        super().__init__(clock, sleep)
        self._account_id = account_id
        self._regions = regions
        self._ec2 = ec2

    def operation(self, request: Request) -> str:
        """The action, such as `RunInstances` or, of Service Quotas, `GetServiceQuota`."""
        return asked_of_quotas(request) or parse_qs(request.get_data(as_text=True)).get("Action", ["?"])[0]

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Let EC2 answer; stale, fail and capacity are played here."""
        if quotas := asked_of_quotas(request):
            return answer_quotas(request, quotas, exhausted=fault is not None and fault.fault is FaultKind.CAPACITY)
        match fault.fault if fault else None:
            case FaultKind.CAPACITY:
                return refusal(*_OUT_OF_CAPACITY.get(self.operation(request), _OUT_OF_CAPACITY["RunInstances"]))
            case FaultKind.STALE if fault:
                return self._stale(request, fault.delay)
            case FaultKind.FAIL if fault:
                response = self._answer_of_ec2(request)
                self._doom(self._region(request), response, fault.delay)
                return response
            case _:
                return self._answer_of_ec2(request)

    def throttled(self, request: Request) -> Response:
        """What EC2 answers above its request rate: 503, where others say 429."""
        if asked_of_quotas(request):
            return quotas_refusal("TooManyRequestsException", "Rate exceeded", 429)
        return refusal("RequestLimitExceeded", "Request limit exceeded.", 503)

    def unavailable(self, request: Request) -> Response:
        """What EC2 answers when it is unwell."""
        if asked_of_quotas(request):
            return quotas_refusal("ServiceException", "Something went wrong.", 500)
        return refusal("Unavailable", "The server is overloaded and can't handle the request.", 503)

    def quoting(self, body: str) -> Response:
        """InvalidParameterValue."""
        return refusal("InvalidParameterValue", f"Value ({body}) for parameter request is invalid.")

    def resources(self) -> list[dict[str, Any]]:
        """Instances that are not terminated, volumes and network interfaces, in every account and region in use."""
        found: list[dict[str, Any]] = []
        for account_id in self._regions.accounts:
            for name, backend in ec2_backends[account_id].items():
                self._regions.of(account_id, name).timeline.settle()
                found += [{**it, "account": account_id} for it in _resources(name, backend)]
        return found

    def _answer_of_ec2(self, request: Request) -> Response:
        return Response.from_app(self._ec2, {**request.environ, "wsgi.input": BytesIO(request.get_data())})

    def _region(self, request: Request) -> Region:
        signer = _SIGNER.search(request.headers.get("Authorization", ""))
        if signer is None:
            return self._regions["us-east-1"]
        return self._regions.of(get_account_id_from(signer.group(1)), signer.group(2))

    def _stale(self, request: Request, seconds: float) -> Response:
        instances = self._region(request).instances
        instances.stale_seconds = seconds
        try:
            return self._answer_of_ec2(request)
        finally:
            instances.stale_seconds = 0.0

    def _doom(self, region: Region, response: Response, seconds: float) -> None:
        body = response.get_data(as_text=True)
        for instance_id in re.findall(r"<instanceId>(i-[0-9a-f]+)</instanceId>", body):
            region.instances.fail(instance_id, seconds, "Server.InternalError", "Server.InternalError on launch")
        if "CreateVolumeResponse" in body:
            for volume_id in re.findall(r"<volumeId>(vol-[0-9a-f]+)</volumeId>", body):
                region.volumes.fail(volume_id, seconds)


def _resources(region: str, backend: Any) -> Iterator[dict[str, Any]]:
    for instance in backend.all_instances():
        if instance.state != "terminated":
            yield _resource("instance", instance.id, region, instance.state, instance.get_tags()) | {
                "size": instance.instance_type
            }
    for volume in backend.volumes.values():
        yield _resource("volume", volume.id, region, volume.status, volume.get_tags()) | {
            "size": volume.volume_type,
            "gb": volume.size,
        }
    for interface in backend.enis.values():
        yield _resource("network-interface", interface.id, region, interface.status, interface.get_tags())


def _resource(kind: str, cloud_id: str, region: str, status: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    marks = {tag["key"]: tag["value"] for tag in tags}
    name = marks.pop("Name", cloud_id)
    return {"id": cloud_id, "type": kind, "name": name, "location": region, "status": status, "marks": marks}
