"""What steps return to the state machines: identifiers and what to do next, never documents."""

from __future__ import annotations

from enum import StrEnum
from typing import NotRequired, TypedDict


class Next(StrEnum):
    """What a state machine does after a step about one resource."""

    WAIT = "WAIT"  # look again after `delay` seconds
    CREATE = "CREATE"  # the next part may begin
    DELETE = "DELETE"  # something is still, or again, there
    WORK = "WORK"  # its cluster's worker has to act on it: send the task to `queue`
    LATER = "LATER"  # its round is over: what is left to do is for another one
    DONE = "DONE"  # ready, gone, or no longer wanted


class StepResult(TypedDict):
    """What to do about one resource, and after how many seconds; for WORK, the URL of the queue to send it to."""

    next: Next
    delay: int
    queue: NotRequired[str]


class WaveItem(TypedDict):
    """One resource of a wave or batch: who it is, and which functions act on it."""

    saga_id: str
    resource_id: str
    functions: dict[str, str]


class Batch(TypedDict):
    """Resources of a wave that are worked on in one execution, which lists them; `again` in a later round."""

    saga_id: str
    wave: int
    batch: int
    again: bool


class BatchItems(TypedDict):
    """What a batch works on."""

    resources: list[WaveItem]


class CloudCheck(TypedDict):
    """One cloud to be asked for shortages, and the function that asks it."""

    saga_id: str
    cloud: str
    function: str


class Checks(TypedDict):
    """Clouds that are asked in one execution."""

    clouds: list[CloudCheck]


class WaveItems(TypedDict):
    """What a wave works on: resources on public clouds in `batches`, and `machines` on private clusters."""

    batches: list[Batch]
    machines: list[WaveItem]


class WaveResult(WaveItems):
    """What to do about a saga: the clouds to check, the next wave to work on, the wait for consent, or how it ended.

    `delay` seconds pass before another round of the same wave.
    """

    saga_id: str
    next: str
    wave: int
    checks: NotRequired[list[Checks]]
    approval_seconds: NotRequired[int]
    delay: NotRequired[int]
