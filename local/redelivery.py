"""At-least-once delivery, played: what one machine delivers once is delivered again, at once and late."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from local.endpoint import StepFunctionsApi
from local.event_pump.deployed import Target
from local.event_pump.pump import Targets, Timeline
from local.queues.invoking import Ending, Functions

_log = logging.getLogger(__name__)
_START: Final = "AWSStepFunctions.StartExecution"


class Redelivery:
    """Delivers things again at once and `late` seconds later, and counts it; nothing as long as `late` is None."""

    def __init__(self, timeline: Timeline) -> None:
        self.late: float | None = None
        self.count = 0
        self._timeline = timeline

    def __call__(self, deliver: Callable[[], object]) -> None:
        """Have `deliver` called again; what it raises is nobody's concern any more."""
        if self.late is None:
            return
        now = self._timeline.clock.now()
        for moment in (now, now + self.late):
            self._timeline.call_at(moment, lambda: self._again(deliver))

    def _again(self, deliver: Callable[[], object]) -> None:
        self.count += 1
        try:
            deliver()
        except Exception as error:
            _log.info("a repeated delivery was refused: %s", type(error).__name__)


class RepeatingTargets:
    """The pump's targets, called again: status events, scheduled firings and the asynchronous invokes among them."""

    def __init__(self, targets: Targets, again: Redelivery) -> None:
        self._targets = targets
        self._again = again

    def check(self, target: Target) -> None:
        """Raise NotSupported for a target that nobody here can call."""
        self._targets.check(target)

    def call(self, target: Target, text: str) -> None:
        """Hand the text to the target; whatever it raises, the delivery has failed and is not repeated here."""
        self._targets.call(target, text)
        self._again(lambda: self._targets.call(target, text))


class RepeatingCalls:
    """Functions, called again with a batch of messages that they were called with; the first end is what counts."""

    def __init__(self, functions: Functions, again: Redelivery) -> None:
        self._functions = functions
        self._again = again

    def call(self, function_arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
        """Begin a call and return at once; `ended` is told the end of this one."""
        self._functions.call(function_arn, payload, ended)
        self._again(lambda: self._functions.call(function_arn, payload, lambda _ending: None))


class RepeatingStarts:
    """Step Functions, where every StartExecution that is answered arrives again."""

    def __init__(self, stepfunctions: StepFunctionsApi, again: Redelivery) -> None:
        self._stepfunctions = stepfunctions
        self._again = again

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer as the first delivery was answered."""
        answer = self._stepfunctions.handle(target, body)
        if target == _START and answer[0] == 200:
            self._again(lambda: self._stepfunctions.handle(target, body))
        return answer
