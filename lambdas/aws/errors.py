"""EC2's errors in the saga's three words; the only place where they are translated.

Sources: the EC2 API reference's "Error codes" (client, server and state-change reasons), boto3's exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from lambdas.core.errors import CapacityError, RetryableError, StepError, TerminalError

RETRYABLE_CODES: Final = frozenset(
    {
        "ConcurrentTagAccess",
        "DependencyViolation",  # what depends on it is still on its way out
        "EC2ThrottledException",
        "ExpiredToken",  # the next attempt assumes the role anew
        "ExpiredTokenException",
        "IncorrectInstanceState",  # it is still changing state
        "IncorrectState",
        "InternalError",
        "InternalFailure",
        "InvalidInstanceID.NotFound",  # not yet: EC2 is eventually consistent
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidVolume.NotFound",
        "RequestExpired",  # EC2's word for an expired token, too
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ResourceCountExceeded",  # too many in one call's wake; passes
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
        "VolumeInUse",  # still attached to an instance that is terminating
    }
)

EXPIRED_CODES: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""What a session is answered that has come to its end, or was ended."""

CAPACITY_CODES: Final = frozenset(
    {
        "AddressLimitExceeded",
        "Client.InstanceLimitExceeded",
        "Client.VolumeLimitExceeded",
        "InstanceLimitExceeded",
        "InsufficientAddressCapacity",
        "InsufficientCapacity",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientVolumeCapacity",
        "MaxIOPSLimitExceeded",
        "NetworkInterfaceLimitExceeded",
        "Server.InsufficientInstanceCapacity",
        "VcpuLimitExceeded",
        "VolumeLimitExceeded",
    }
)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever boto3 raises inside leaves as RetryableError, CapacityError or TerminalError."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise translate(error) from error


def translate(error: ClientError | BotoCoreError | ResponseParserError) -> StepError:
    """The step error that stands for an exception of boto3."""
    if isinstance(error, ClientError):
        return _translate_answer(error)
    name = type(error).__name__
    if isinstance(error, (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)):
        return RetryableError(name, "AWS gave no answer of its own; nobody knows whether the call happened")
    return TerminalError(name, str(error))


def _translate_answer(error: ClientError) -> StepError:
    code = error.response["Error"].get("Code", "Unknown")
    message = error.response["Error"].get("Message", "")
    if code in CAPACITY_CODES:
        return CapacityError(code, message)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in RETRYABLE_CODES or status >= 500 or status == 429:
        return RetryableError(code, message)
    return TerminalError(code, message)


def failed_afterwards(code: str, message: str) -> StepError:
    """The step error for something that EC2 accepted and then gave up: its state-change reason."""
    if code in CAPACITY_CODES:
        return CapacityError(code, message)
    return TerminalError(code, message)
