"""Long-running operations, begun by one step and looked at by another, without waiting in either.

The handle is the SDK's continuation token: JSON that holds the URLs to ask at, and no secret. Those URLs will be sent
our bearer token, so they are checked before it is used.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import BadResponse, BadStatus
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.mgmt.core.polling.arm_polling import ARMPolling

from lambdas.azure.errors import translated
from lambdas.core.errors import TerminalError

_URL_HEADERS: Final = frozenset({"azure-asyncoperation", "location", "operation-location"})


class Failure(NamedTuple):
    """Why an operation failed: Azure's code and message."""

    code: str
    message: str


class Progress(NamedTuple):
    """What one look at an operation found; `failure` only once it is done."""

    done: bool
    failure: Failure | None = None


class OneLook(ARMPolling):
    """Polls an operation when asked to and only then; the SDK's own starts a thread that does nothing else."""

    def __init__(self) -> None:
        super().__init__(timeout=0)

    def run(self) -> None:
        """Do not poll: the SDK calls this from its thread."""

    def finished(self) -> bool:
        """Claim to be finished, so that the SDK starts no thread."""
        return True

    def look(self) -> Progress:
        """Ask once how far the operation is; raises HttpResponseError."""
        try:
            if not super().finished():
                self.update_status()
        except (BadStatus, BadResponse) as error:
            response = self._pipeline_response.http_response
            raise HttpResponseError(str(error), response, error_format=ARMErrorFormat) from error
        return Progress(super().finished(), self._failure())

    def _failure(self) -> Failure | None:
        status = self.status().lower()
        if status not in ("failed", "canceled"):
            return None
        response = self._pipeline_response.http_response
        error = HttpResponseError(response=response, error_format=ARMErrorFormat).error
        code = str((error.code if error else None) or "ProvisioningFailed")
        return Failure(code, str((error.message if error else None) or f"the operation {status}"))


def handle_of(poller: LROPoller[Any]) -> str:
    """The handle of an operation that was just begun, without the resource it was answered with.

    What that says is looked up again anyway, and the ledger is the better without it.
    """
    token = json.loads(base64.b64decode(poller.continuation_token()))
    token["data"]["response"]["content"] = ""
    token["data"]["context"] = {}
    return base64.b64encode(json.dumps(token, separators=(",", ":")).encode()).decode()


def look_at(resume: Any, group: str, name: str, handle: str, endpoint: str) -> Progress | None:
    """Look once at an operation by its handle; None when Azure no longer knows it, or the handle leads elsewhere.

    `resume` is the `begin_create_or_update` of the SDK's operations group; with a handle it sends no such request.
    """
    if not _leads_to(endpoint, handle):
        return None
    polling = OneLook()
    try:
        with translated():
            resume(group, name, {}, polling=polling, continuation_token=handle)
            return polling.look()
    except TerminalError as error:
        if error.code in ("HTTP404", "NotFound", "OperationNotFound", "ResourceNotFound"):
            return None
        raise


def _leads_to(endpoint: str, handle: str) -> bool:
    wanted = urlsplit(endpoint)
    try:
        state = json.loads(base64.b64decode(handle, validate=True))["data"]
        headers = state["response"]["headers"].items()
        urls = [state["request"]["url"], *(value for name, value in headers if name.lower() in _URL_HEADERS)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return all((url.scheme, url.netloc) == (wanted.scheme, wanted.netloc) for url in map(urlsplit, urls))
