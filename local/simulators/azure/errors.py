"""Refusals and failures in Resource Manager's form: `{"error": {"code", "message", "target", "details"}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from werkzeug.wrappers import Response


class Failure(NamedTuple):
    """Why an operation that was accepted ended badly."""

    code: str
    message: str

    def body(self) -> dict[str, str]:
        """The `error` object of an operation's status."""
        return {"code": self.code, "message": self.message}


class ArmError(Exception):
    """A request refused with an HTTP status, before any effect."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: tuple[Failure, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.error: dict[str, Any] = {"code": code, "message": message}
        if target:
            self.error["target"] = target
        if details:
            self.error["details"] = [detail.body() for detail in details]
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer that carries it."""
        return json_response({"error": self.error}, self.status, self.headers)


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    return Response(
        json.dumps(body), status=status, headers=dict(headers or {}), content_type="application/json; charset=utf-8"
    )


def resource_not_found(resource_type: str, name: str, group: str) -> ArmError:
    """What a GET of, or a reference to, something that does not exist is answered with."""
    message = f"The Resource '{resource_type}/{name}' under resource group '{group}' was not found."
    return ArmError(404, "ResourceNotFound", message)


def invalid_reference(referenced: str, by: str) -> ArmError:
    """What a network resource that refers to a missing one, or to one in another region, is answered with."""
    message = (
        f"Resource {referenced} referenced by resource {by} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region."
    )
    return ArmError(400, "InvalidResourceReference", message)


def not_provisioned(referenced: str, by: str, state: str) -> ArmError:
    """What a reference to a resource that is still being made is answered with."""
    message = (
        f"Cannot proceed with operation because resource {referenced} used by resource {by} is not in Succeeded "
        f"state. Resource is in {state} state."
    )
    return ArmError(409, "ReferencedResourceNotProvisioned", message)


def invalid_parameter(value: object, parameter: str) -> ArmError:
    """What Microsoft.Compute answers to a value that it does not know."""
    return ArmError(
        400, "InvalidParameter", f"The value {value} provided for {parameter} is invalid.", target=parameter
    )


def nic_reserved(seconds: float, holder: str) -> ArmError:
    """What touching a network interface reserved for the VM `holder` is answered with."""
    return ArmError(
        400,
        "NicReservedForAnotherVm",
        f"Nic(s) in request is reserved for another Virtual Machine for {seconds:g} seconds. Please provide another "
        f"nic(s) or retry after {seconds:g} seconds. Reserved VM: {holder}",
    )
