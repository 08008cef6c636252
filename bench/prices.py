"""What AWS bills for what a saga takes, and what others would for the same: prices, and how use is made up into them.

Prices are us-east-1's, in dollars, as published on PRICES_OF; free tiers are left out. Two things no run on one machine
can tell are set, each in one place: how long a real cloud takes to answer (`LOOK_SECONDS`, `CHANGE_SECONDS`), and how
many calls find no function running (`COLD_SHARE`), whose cost is a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

PRICES_OF: Final = "2026-06"
A_TRANSITION: Final = 25e-6
AN_INVOCATION: Final = 0.20e-6
A_GB_SECOND: Final = 13.3334e-6  # on arm64, which is what is deployed
A_WRITE_UNIT: Final = 0.625e-6
A_READ_UNIT: Final = 0.125e-6
AN_EXPRESS_EXECUTION: Final = 1e-6
AN_EXPRESS_GB_SECOND: Final = 16.67e-6
A_DURABLE_OPERATION: Final = 8e-6
A_TEMPORAL_ACTION: Final = 50e-6

VCPU_MB: Final = 1769
"""The memory with which a function has one vCPU, and in proportion less with less.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html. A vCPU is taken for one of this machine's cores.
"""

LOOK_SECONDS: Final = 0.15
CHANGE_SECONDS: Final = 1.0
"""Allowed for each request to a cloud that only looks, and for each that creates or deletes: assumptions.

They come on top of what the simulated clouds take. How many times as long real ones may take is among the figures.
"""

COLD_SHARE: Final = 0.01
"""Of all calls, an assumption: "a very small fraction", says AWS, and bills it since August 2025 like any other time.

https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
"""

_EXPRESS_BASE_MB: Final = 50
_EXPRESS_CHUNK_MB: Final = 64
"""How Express memory is made up, and charged: the pricing examples on https://aws.amazon.com/step-functions/pricing/."""

SAGAS: Final = 1000
"""What a bill is given for."""


def billed_seconds(processor: float, waiting: float, memory: int) -> float:
    """What Lambda bills a call for: its work on its share of a vCPU, and its waiting, rounded up to a millisecond."""
    return ceil((processor * VCPU_MB / memory + waiting) * 1000) / 1000


def express_megabytes(definition: str, data: int, iterations: int) -> int:
    """What an Express execution is charged for: a base, its definition, its data for each Map's or Parallel's step."""
    used = _EXPRESS_BASE_MB + (len(definition.encode()) + data * max(1, iterations)) / 2**20
    return _EXPRESS_CHUNK_MB * ceil(used / _EXPRESS_CHUNK_MB)


@dataclass(frozen=True)
class Lambda:
    """The functions' part: calls, their requests to clouds, and the GB-seconds of both together.

    `allowed` are those of the clouds' answers, `processor` the seconds of a whole vCPU.
    """

    calls: float = 0.0
    looks: float = 0.0
    changes: float = 0.0
    processor: float = 0.0
    gb_seconds: float = 0.0
    allowed: float = 0.0
    cold_gb_seconds: float = 0.0
    """If every call were the first of its process, what that would add."""

    @property
    def dollars(self) -> float:
        """For one saga."""
        return self.calls * AN_INVOCATION + self.gb_seconds * A_GB_SECOND


@dataclass(frozen=True)
class Bill:
    """What one saga took; Express executions by their GB-seconds, each rounded up to 100 ms and to 64 MB."""

    transitions: int
    express: int
    express_seconds: float
    express_gb_seconds: float
    functions: Lambda
    looks: int
    write_units: float
    read_units: float
    requests: float

    @property
    def step_functions(self) -> float:
        """Dollars per thousand sagas for the state machines."""
        express = self.express * AN_EXPRESS_EXECUTION + self.express_gb_seconds * AN_EXPRESS_GB_SECOND
        return SAGAS * (self.transitions * A_TRANSITION + express)

    @property
    def together(self) -> float:
        """Dollars per thousand sagas for the state machines and their functions."""
        return self.step_functions + SAGAS * self.functions.dollars

    @property
    def ledger(self) -> float:
        """Dollars per thousand sagas for the ledger."""
        return SAGAS * (self.write_units * A_WRITE_UNIT + self.read_units * A_READ_UNIT)

    @property
    def cold(self) -> float:
        """Dollars per thousand sagas for so many cold starts as are assumed."""
        return SAGAS * COLD_SHARE * self.functions.cold_gb_seconds * A_GB_SECOND

    def slower(self, goal: float) -> float:
        """How many times as long as allowed clouds may take to answer until a saga costs as much as the goal."""
        return 1 + (goal - self.together) / (SAGAS * self.functions.allowed * A_GB_SECOND)


def others(looks: int, seconds: float, a_call: float) -> dict[str, float]:
    """Dollars per thousand sagas elsewhere: three machines, each ready at that look, the last after so many seconds.

    A create, its looks and a decision are a function's run each, at `a_call` dollars. A plain definition enters, for
    each machine, a state for the create, the end, and for each look the wait and the look, with a choice around; one
    that polls by Retry one for each look. Durable functions are charged by operation, Temporal Cloud by action, a timer
    included.
    """
    calls = 3 * (2 + looks) + 1
    express = AN_EXPRESS_EXECUTION + seconds * _EXPRESS_CHUNK_MB / 1024 * AN_EXPRESS_GB_SECOND
    timers = 3 * (looks - 1)
    dollars = {
        "a plain definition": (3 + 3 * (4 + 2 * looks)) * A_TRANSITION + calls * a_call,
        "polling by Retry": (8 + 3 * looks) * A_TRANSITION + calls * a_call,
        "an Express execution for each machine": 5 * A_TRANSITION + 3 * express + calls * a_call,
        "durable functions": (1 + calls + timers) * A_DURABLE_OPERATION + (1 + timers) * a_call,
        "Temporal Cloud": (1 + calls + timers) * A_TEMPORAL_ACTION,
    }
    return {name: round(SAGAS * it, 2) for name, it in dollars.items()}
