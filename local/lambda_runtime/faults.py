"""What can go wrong between a caller and a function's code, by function name, in the words of the simulators.

| fault             | what happens to a RequestResponse invocation                            |
|-------------------|-------------------------------------------------------------------------|
| `refuse`, `error` | ServiceException, no effect                                             |
| `throttle`        | TooManyRequestsException, no effect                                     |
| `lost`            | runs to its end, then ServiceException                                  |
| `late`            | ServiceException at once; runs `delay` seconds later                    |
| `twice`           | runs twice, one after the other; the second result is given             |
| `slow`            | runs after `delay` seconds                                              |
| `fail`            | its worker is killed `delay` seconds into the call: Runtime.ExitError   |

An Event is queued `delay` seconds `late`, queued again after `delay` for `twice`, queued and then refused for `lost`;
what refuses a call refuses it, too. The others, and `stale` and `capacity`, which are about clouds, raise ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from local.lambda_runtime.errors import ServiceError, TooManyRequests
from local.simulators.faults import Fault, FaultKind, Faults

Result_co = TypeVar("Result_co", covariant=True)


class Run(Protocol[Result_co]):
    """Runs the struck invocation once, killing its worker `kill_after` seconds into the call if that is given."""

    def __call__(self, kill_after: float | None = None) -> Result_co:
        """Return the invocation's result."""
        ...


class InvocationFaults:
    """Strikes invocations with the `faults` armed for their functions; `sleep` waits for a slow one."""

    def __init__(self, faults: Faults, sleep: Callable[[float], None]) -> None:
        self._faults = faults
        self._sleep = sleep

    def invoke(self, function: str, run: Run[Result_co], run_later: Callable[[float], None]) -> Result_co:
        """Run the invocation as the next fault for `function` has it, or plainly when there is none."""
        fault = self._faults.take(function)
        return run() if fault is None else self._strike(fault, run, run_later)

    def accept(self, function: str, queue: Callable[[float], None]) -> None:
        """Queue an Event, so many seconds from now, as the next fault for `function` has it."""
        fault = self._faults.take(function)
        match fault.fault if fault else None:
            case FaultKind.THROTTLE:
                raise TooManyRequests("CallerRateLimitExceeded")
            case FaultKind.REFUSE | FaultKind.ERROR:
                raise ServiceError
            case FaultKind.LOST:
                queue(0)
                raise ServiceError
            case FaultKind.LATE:
                queue(fault.delay if fault else 0)
            case FaultKind.TWICE:
                queue(0)
                queue(fault.delay if fault else 0)
            case None:
                queue(0)
            case kind:
                raise ValueError(f"{kind} means nothing to an Event invocation")

    def _strike(self, fault: Fault, run: Run[Result_co], run_later: Callable[[float], None]) -> Result_co:
        match fault.fault:
            case FaultKind.THROTTLE:
                raise TooManyRequests("CallerRateLimitExceeded")
            case FaultKind.REFUSE | FaultKind.ERROR:
                raise ServiceError
            case FaultKind.LOST:
                run()
                raise ServiceError
            case FaultKind.LATE:
                run_later(fault.delay)
                raise ServiceError
            case FaultKind.TWICE:
                run()
                return run()
            case FaultKind.SLOW:
                self._sleep(fault.delay)
                return run()
            case FaultKind.FAIL:
                return run(kill_after=fault.delay)
            case _:
                raise ValueError(f"{fault.fault} means nothing to a Lambda invocation")
