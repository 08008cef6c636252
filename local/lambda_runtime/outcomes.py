"""How a call can end, in the error types and messages that Lambda reports for its own failures."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

from local.lambda_runtime.runtime_api import RuntimeRequest

# Lambda's limit for a synchronous response is 6 MB; the number in its message is this one.
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class Outcome:
    """What a call returned: its payload, and Lambda's function error ("Unhandled") when it failed."""

    payload: bytes
    function_error: str | None = None
    failure: str = ""
    """What Lambda writes to the function's log about it, empty when the function reported its failure itself."""


def answered(request: RuntimeRequest) -> Outcome:
    """Return what the function posted, or the refusal of a response over the limit."""
    if request.path.endswith("/error"):
        return Outcome(request.body, "Unhandled")
    if len(request.body) > MAX_RESPONSE_BYTES:
        return _failed(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).",
        )
    return Outcome(request.body)


def initialization_failed(request: RuntimeRequest, request_id: str) -> Outcome:
    """Return the error that the runtime client reported instead of asking for an event, with the call's id."""
    error = json.loads(request.body)
    error["requestId"] = request_id
    return Outcome(json.dumps(error).encode(), "Unhandled")


def timed_out(request_id: str, timeout: int) -> Outcome:
    """Return the end of a call whose worker was killed after `timeout` seconds."""
    return _failed("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds")


def exited(request_id: str, return_code: int) -> Outcome:
    """Return the end of a call whose process went away; a negative code is the signal that killed it."""
    if return_code == 0:
        reason = "Runtime exited without providing a reason"
    elif return_code > 0:
        reason = f"Runtime exited with error: exit status {return_code}"
    else:
        reason = f"Runtime exited with error: signal: {_signal_name(-return_code)}"
    return _failed("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def _signal_name(number: int) -> str:
    # Go's words, since Lambda's own supervisor is written in it: "killed", "segmentation fault".
    return (signal.strsignal(number) or str(number)).lower()


def _failed(error_type: str, message: str) -> Outcome:
    payload = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    return Outcome(payload, "Unhandled", message)
