"""Every error of skysaga's own, and whose move each one is.

SkysagaError
├── StepError            raised by a step; its class name is the error name a state machine sees
│   ├── RetryableError   the cloud's move: the same call may work later
│   │   └── Throttled    the cloud says when
│   ├── CapacityError    ours: this place is full, another candidate may not be
│   └── TerminalError    the user's or the operator's: retries are useless
├── RequestError         the user's: the request names something that cannot be
│   └── NotGranted       the operator's: it names a target that its caller was not granted
├── Forbidden            the operator's: its caller was not granted to do that
├── IdempotencyConflict  the user's: the key was used for another request
├── SagaNotFound         the user's
├── MovedOn              the user's: the saga is not any more what they decided about
├── SweepNotFound        the user's
├── Unidentified         ours: a call came without an identity that grants could name
├── Misconfigured        the operator's: what the deployment was told cannot be used
├── ClusterNotFound      the user's
├── NotPossible          the user's: the saga's status does not allow what was asked of it
├── ClaimRefused         ours: somebody was faster, and another cluster may do
├── CursorExpired        ours: what was read of a source's costs must be read from its beginning
├── Overtaken            ours: somebody else has written what was to be replaced
└── IllegalTransition    ours: a step tried what the table of states does not allow
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class SkysagaError(Exception):
    """Whatever skysaga raises itself."""


class StepError(SkysagaError):
    """A step failed; the message starts with the cloud's own code, so that nothing is lost in translation."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class RetryableError(StepError):
    """Should be retried: throttled, unavailable, or nobody knows whether the call happened."""


class Throttled(RetryableError):
    """Refused because too much was asked of a cloud; not to be asked again for `retry_after` seconds."""

    def __init__(self, code: str, message: str, retry_after: float) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class CapacityError(StepError):
    """The place is out of capacity or quota: retrying there is useless, another candidate may do."""


class TerminalError(StepError):
    """Retries are useless: the request, a permission or the resource itself is wrong."""


class FieldError(NamedTuple):
    """One thing wrong with a request: `field` as in `resources[2].spec.size`, and the reason, which says what to do."""

    field: str
    reason: str


class RequestError(SkysagaError):
    """A request that cannot be accepted, with every offending field at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.reason}" for e in errors))
        self.errors = tuple(errors)


class NotGranted(RequestError):
    """A request for targets that its caller was not granted, with every field that names one."""


class Forbidden(SkysagaError):
    """A call for something that its caller was not granted to do."""


class Unidentified(SkysagaError):
    """A call whose authorizer said nothing of who made it."""


class Misconfigured(SkysagaError):
    """Targets or grants that cannot be used; the message names the parameter and what is wrong, for an operator."""


class IdempotencyConflict(SkysagaError):
    """The idempotency key was already used for a different request."""


class SagaNotFound(SkysagaError):
    """No saga of that id."""


class MovedOn(SkysagaError):
    """The saga is at another version than its caller had seen; the message says at which."""


class SweepNotFound(SkysagaError):
    """No sweep of that id."""


class ClusterNotFound(SkysagaError):
    """No cluster of that name has ever reported."""

    def __init__(self, cluster: str) -> None:
        super().__init__(f"no cluster {cluster} has ever reported")


class ClaimRefused(SkysagaError):
    """A cluster has no room left for a claim, or takes none: something else was claimed in the meantime."""

    def __init__(self, cluster: str) -> None:
        super().__init__(f"{cluster} does not take the claim")
        self.cluster = cluster


class CursorExpired(SkysagaError):
    """A source no longer knows the place that a cursor names."""


class Overtaken(SkysagaError):
    """Somebody else was faster: what was to be replaced has been replaced already."""


class NotPossible(SkysagaError):
    """The saga's status does not allow what was asked of it; the message says what would."""


class IllegalTransition(SkysagaError):
    """A status change that the table of states does not allow."""
