"""A deployed function as the runtime needs it, and the port through which it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from local.lambda_runtime.reference import FunctionReference


@dataclass(frozen=True)
class CodeArchive:
    """A zip by the hex SHA-256 of its bytes, which are read only when that zip was never unpacked here before."""

    sha256: str
    read: Callable[[], bytes] = field(compare=False, repr=False)


@dataclass(frozen=True)
class AsynchronousPolicy:
    """What Lambda does with an Event that fails: how often it tries again and for how many seconds it may be kept."""

    maximum_retry_attempts: int = 2
    maximum_event_age: int = 21_600


@dataclass(frozen=True)
class DeployedFunction:
    """One version of a function; two that compare equal can share a worker. Times in seconds, memory in MiB."""

    arn: str
    version: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    code: CodeArchive
    layers: tuple[CodeArchive, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_format: str = "Text"
    log_group: str = ""
    reserved_concurrency: int | None = field(default=None, compare=False)
    asynchronous: AsynchronousPolicy = field(default=AsynchronousPolicy(), compare=False)

    @property
    def name(self) -> str:
        """The function's own name, the last part of its unqualified ARN."""
        return self.arn.rsplit(":", 1)[1]

    @property
    def region(self) -> str:
        """The region the function is deployed in."""
        return self.arn.split(":")[3]


@dataclass(frozen=True)
class RoutedVersion:
    """A version and the share of calls, 0 to 1, that the named alias sends to it."""

    function: DeployedFunction
    share: float


class FunctionSource(Protocol):
    """Where deployed functions are read; asked at every call, so it must be quick and see each change at once."""

    def resolve(self, reference: FunctionReference) -> Sequence[RoutedVersion]:
        """Return the versions a call may reach, shares adding up to 1; raises FunctionNotFound."""
        ...
