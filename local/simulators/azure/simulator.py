"""The simulated Azure Resource Manager: authentication, routing, and the life of a resource from put to delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Request, Response

from lambdas.core.locations import AZURE_REGIONS
from local.clock import Clock
from local.simulators.azure import costs, prices
from local.simulators.azure.errors import ArmError, Failure, json_response, resource_not_found
from local.simulators.azure.estate import Estate
from local.simulators.azure.identity import issue_token, require_bearer
from local.simulators.azure.limits import limits_document
from local.simulators.azure.machines import MACHINES
from local.simulators.azure.resource import Operation, Resource, ResourceKind, State
from local.simulators.azure.routes import Target, target_of
from local.simulators.azure.settings import AzureSimulatorSettings
from local.simulators.azure.standing import group_named, standing_document
from local.simulators.bill import Bill
from local.simulators.faults import Fault, FaultKind
from local.simulators.simulator import Simulator

_RETRY_AFTER = {"Retry-After": "1"}


class AzureSimulator(Simulator):
    """Azure Resource Manager with the parts of Microsoft.Compute and Microsoft.Network that an instance is made of.

    What subscriptions cost is on `bill`, which Microsoft.CostManagement reads.

    Operations are named as in Azure's API specifications: `VirtualMachines_CreateOrUpdate`, `Disks_Delete` and so on.
    """

    def __init__(
        self, clock: Clock, sleep: Callable[[float], None], settings: AzureSimulatorSettings, bill: Bill
    ) -> None:
        super().__init__(clock, sleep)
        self.settings = settings
        self.bill = bill
        self._costs = costs.CostManagement(bill, clock, settings)
        self.estate = Estate(settings)

    def operation(self, request: Request) -> str:
        """The operation's id in Azure's API specifications."""
        return target_of(request).operation

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer one request; refusals are answers, too."""
        target = target_of(request)
        if target.operation == prices.OPERATION:
            return prices.answer(request)
        try:
            return self._dispatch(request, target, fault)
        except ArmError as error:
            return error.response()

    def throttled(self, request: Request) -> Response:
        """Microsoft.Compute calls it OperationNotAllowed with details, Resource Manager has a code of its own."""
        headers = {"Retry-After": "2"}
        target = target_of(request)
        if target.operation == costs.OPERATION:
            return self._costs.throttled()
        if target.kind and target.kind.namespace == "Microsoft.Compute":
            message = (
                "The server rejected the request because too many requests have been received for this subscription."
            )
            details = (Failure("TooManyRequests", f"{target.operation} exceeded its limit. Try again later."),)
            return ArmError(429, "OperationNotAllowed", message, details=details, headers=headers).response()
        message = "Number of requests for subscription and operation exceeded the limit. Please try again later."
        return ArmError(429, "SubscriptionRequestsThrottled", message, headers=headers).response()

    def unavailable(self, request: Request) -> Response:
        """Resource Manager's own 503."""
        return ArmError(503, "ServiceUnavailable", "The service is unavailable. Please try again later.").response()

    def quoting(self, body: str) -> Response:
        """InvalidParameter."""
        return ArmError(400, "InvalidParameter", f"The value '{body}' of parameter 'resource' is invalid.").response()

    def identify(self, request: Request, response: Response) -> Mapping[str, str]:
        """A request id of its own, and the correlation id that was sent, or else another: both are answered, too."""
        own = str(UUID(int=len(self.log) + 1))  # a run that is repeated is the same to the letter
        sent = request.headers.get("x-ms-correlation-request-id")
        ids = {"x-ms-request-id": own, "x-ms-correlation-request-id": sent or own}
        response.headers.extend(ids)
        return ids

    def resources(self) -> list[dict[str, Any]]:
        """All that exists, every part of an instance by itself."""
        self.estate.settle(self.clock.now())
        return [
            {
                "id": resource.id,
                "type": resource.kind.collection,
                "name": resource.name,
                "location": resource.location,
                "status": resource.state.value,
                "marks": resource.tags,
                "created_at": resource.created_at,
            }
            for resource in self.estate
        ]

    def _dispatch(self, request: Request, target: Target, fault: Fault | None) -> Response:
        if target.operation == "ManagedIdentity_Token":
            return issue_token(request)
        require_bearer(request)
        if "api-version" not in request.args:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise ArmError(400, "MissingApiVersionParameter", message)
        if target.operation == costs.OPERATION:
            return self._costs.answer(request, target.subscription)
        self.estate.settle(self.clock.now())
        if target.operation == "Operations_Get":
            return self._show_operation(target.name, fault)
        if target.standing:
            return json_response(standing_document(request.path, self.settings))
        if target.limits:
            full = fault is not None and fault.fault is FaultKind.CAPACITY
            return json_response(limits_document(target.operation, request.path, request.args, self.estate, full=full))
        if target.kind is None or target.operation.endswith(("_Unknown", "_Update")):
            raise ArmError(404, "InvalidResourceType", f"'{request.method} {request.path}' could not be found here.")
        if target.group:
            group_named(target.group, self.settings)
        return self._act(request, target, target.kind, fault)

    def _act(self, request: Request, target: Target, kind: ResourceKind, fault: Fault | None) -> Response:
        match target.operation.rpartition("_")[2]:
            case "List":
                return self._list(target, kind, fault)
            case "CreateOrUpdate":
                return self._put(request, target, kind, fault)
            case "Delete":
                return self._delete(request, target, fault)
            case "InstanceView":
                return json_response(MACHINES.instance_view(self._seen(target, kind, fault)))
            case _:
                resource = self._seen(target, kind, fault)
                view = "$expand" in request.args and kind is MACHINES
                return json_response(self._render(resource, with_instance_view=view))

    def _list(self, target: Target, kind: ResourceKind, fault: Fault | None) -> Response:
        group = (target.group or "").lower()
        listed = [
            self._render(resource)
            for resource in self.estate.of_type(kind.type)
            if resource.subscription == target.subscription
            and (not group or resource.group.lower() == group)
            and self._is_visible(resource, fault)
        ]
        return json_response({"value": listed})

    def _put(self, request: Request, target: Target, kind: ResourceKind, fault: Fault | None) -> Response:
        now = self.clock.now()
        wanted = Resource(kind, target.subscription, str(target.group), target.name, _body(request), now)
        _check_location(wanted)
        existing = self.estate.get(wanted.id)
        _check_preconditions(request, wanted.id, existing)
        if existing:
            if existing.state is State.DELETING:
                raise kind.deleting_error(existing)
            if existing.busy and existing.body == wanted.body and kind.namespace == "Microsoft.Compute":
                return self._accepted(request, existing, kind.put_status)
            if existing.busy:
                raise kind.busy_error(existing)
            _check_same_location(existing, wanted)
            kind.check_change(existing, wanted)
        kind.validate(self.estate, wanted)
        failure = self._fate(wanted, fault)
        resource = self._take(existing, wanted)
        kind.accepted(self.estate, resource, now, failure)
        seconds = fault.delay if fault and failure else kind.create_seconds(self.estate)
        self.estate.begin(resource, at=now, seconds=seconds, failure=failure)
        if not failure:
            self.estate.settle(now)  # what takes no time is there in the answer, operation and all
        return self._accepted(request, resource, 200 if existing else kind.put_status)

    def _take(self, existing: Resource | None, wanted: Resource) -> Resource:
        if existing is None:
            self.estate.add(wanted)
            return wanted
        existing.body, existing.state = wanted.body, State.UPDATING
        return existing

    def _delete(self, request: Request, target: Target, fault: Fault | None) -> Response:
        now = self.clock.now()
        resource = self._find(target)
        if resource is None:
            return Response(status=204)
        if resource.state is not State.DELETING:
            resource.kind.check_deletable(self.estate, resource, now)
            if resource.busy:
                resource.kind.preempt(resource, now)
        broken = fault is not None and fault.fault is FaultKind.FAIL
        operation = self.estate.begin_delete(resource, now, resource.kind.internal_error() if broken else None)
        return Response(status=202, headers=self._operation_headers(request, operation))

    def _fate(self, resource: Resource, fault: Fault | None) -> Failure | None:
        match fault.fault if fault else None:
            case FaultKind.CAPACITY:
                return resource.kind.stockout(resource)
            case FaultKind.FAIL:
                return resource.kind.internal_error()
            case _:
                return None

    def _find(self, target: Target) -> Resource | None:
        kind = target.kind.type if target.kind else ""
        path = f"/subscriptions/{target.subscription}/resourceGroups/{target.group}/providers/{kind}/{target.name}"
        return self.estate.get(path)

    def _seen(self, target: Target, kind: ResourceKind, fault: Fault | None) -> Resource:
        resource = self._find(target)
        if resource is None or not self._is_visible(resource, fault):
            raise resource_not_found(kind.type, target.name, str(target.group))
        return resource

    def _is_visible(self, resource: Resource, fault: Fault | None) -> bool:
        stale = fault is not None and fault.fault is FaultKind.STALE
        return not stale or resource.created_at <= self.clock.now() - (fault.delay if fault else 0)

    def _render(self, resource: Resource, *, with_instance_view: bool = False) -> dict[str, Any]:
        view = {"instanceView": MACHINES.instance_view(resource)} if with_instance_view else {}
        return {
            "id": resource.id,
            "name": resource.name,
            "type": resource.kind.type,
            "location": resource.location,
            "tags": resource.tags,
            "etag": resource.etag,
            **resource.kind.envelope(self.estate, resource),
            "properties": {
                **resource.kind.render(self.estate, resource),
                "timeCreated": _moment(resource.created_at),
                "provisioningState": resource.state.value,
                **view,
            },
        }

    def _accepted(self, request: Request, resource: Resource, status: int) -> Response:
        assert resource.operation is not None  # noqa: S101 -- narrows: one was just begun, or is under way
        return json_response(self._render(resource), status, self._operation_headers(request, resource.operation))

    def _operation_headers(self, request: Request, operation: Operation) -> dict[str, str]:
        resource = operation.resource
        url = (
            f"{request.host_url}subscriptions/{resource.subscription}/providers/{resource.kind.namespace}/locations/"
            f"{resource.location}/operations/{operation.id}?api-version={request.args['api-version']}"
        )
        location = {"Location": f"{url}&monitor=true"} if operation.deletes else {}
        return {"Azure-AsyncOperation": url, **location, **_RETRY_AFTER}

    def _show_operation(self, operation_id: str, fault: Fault | None) -> Response:
        operation = self.estate.operation(operation_id)
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{operation_id}' was not found.")
        stale = fault is not None and fault.fault is FaultKind.STALE
        started = {"name": operation.id, "startTime": _moment(operation.started)}
        if operation.ended is None or (stale and fault and operation.started > self.clock.now() - fault.delay):
            return json_response({**started, "status": "InProgress"}, headers=_RETRY_AFTER)
        ended = {**started, "endTime": _moment(operation.ended)}
        if operation.failure:
            return json_response({**ended, "status": "Failed", "error": operation.failure.body()})
        return json_response({**ended, "status": "Succeeded"})


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
        message = "The request content was invalid and could not be deserialized."
        raise ArmError(400, "InvalidRequestContent", message)
    return body


def _check_location(wanted: Resource) -> None:
    location = wanted.body.get("location")
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if location not in AZURE_REGIONS:
        message = f"The provided location '{location}' is not available for resource type '{wanted.kind.type}'."
        raise ArmError(400, "LocationNotAvailableForResourceType", message)


def _check_same_location(existing: Resource, wanted: Resource) -> None:
    if existing.location != wanted.location:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{wanted.name}' already exists in location '{existing.location}' in resource group "
            f"'{wanted.group}'. A resource with the same name cannot be created in location '{wanted.location}'. "
            "Please select a new resource name.",
        )


def _check_preconditions(request: Request, resource_id: str, existing: Resource | None) -> None:
    """Only virtual machines know conditional puts; the others ignore the headers."""
    if "/virtualmachines/" not in resource_id.lower():
        return
    missing = request.headers.get("If-None-Match") == "*" and existing is not None
    match = request.headers.get("If-Match")
    changed = match is not None and (existing is None or match not in ("*", existing.etag))
    if missing or changed:
        message = f"The precondition given by one of the request headers evaluated to false: {resource_id}."
        raise ArmError(412, "PreconditionFailed", message)
