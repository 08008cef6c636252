"""At-least-once delivery, played: again at once, again late, and only while it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from local.clock import VirtualClock
from local.event_pump import Target
from local.queues.invoking import Ending
from local.redelivery import Redelivery, RepeatingCalls, RepeatingStarts, RepeatingTargets
from local.stepfunctions import Engine

TARGET = Target("arn:aws:lambda:us-east-1:123456789012:function:f")


class Heard:
    """A target and a Step Functions service that remember when they were called."""

    def __init__(self, clock: VirtualClock, refusals: int = 0) -> None:
        self._clock, self._began, self._refusals = clock, clock.now(), refusals
        self.at: list[float] = []

    def check(self, target: Target) -> None:
        """Call whoever is named."""

    def call(self, _target: Target, _text: str) -> None:
        self.handle("", b"")

    def handle(self, _target: str, _body: bytes) -> tuple[int, bytes]:
        self.at.append(self._clock.now() - self._began)
        if len(self.at) > 1 and self._refusals:
            raise ConnectionError("not again")
        return 200, b"{}"


def test_a_target_is_called_again_at_once_and_late_whatever_it_says_then() -> None:
    engine = Engine(clock=VirtualClock())
    again = Redelivery(engine)
    again.late = 5.0
    heard = Heard(engine.clock, refusals=2)  # type: ignore[arg-type]  # it is the virtual one
    RepeatingTargets(heard, again).call(TARGET, "{}")
    engine.run()
    assert heard.at == [0, 0, 5]
    assert again.count == 2


def test_a_batch_is_handed_to_its_function_again_and_the_first_end_is_the_one_that_counts() -> None:
    engine = Engine(clock=VirtualClock())
    again = Redelivery(engine)
    again.late = 5.0
    given: list[bytes] = []
    ends: list[Ending] = []

    class Functions:
        """Each call ends as soon as it begins, and each with another answer."""

        def call(self, _arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
            given.append(payload)
            ended(Ending("answered", str(len(given)).encode()))

    RepeatingCalls(Functions(), again).call("arn", b"batch", ends.append)
    engine.run()
    assert given == [b"batch"] * 3
    assert ends == [Ending("answered", b"1")]


def test_starts_arrive_again_and_nothing_else_does() -> None:
    engine = Engine(clock=VirtualClock())
    again = Redelivery(engine)
    heard = Heard(engine.clock)  # type: ignore[arg-type]  # it is the virtual one
    starts = RepeatingStarts(heard, again)
    starts.handle("AWSStepFunctions.StartExecution", b"{}")
    again.late = 1.0
    starts.handle("AWSStepFunctions.DescribeExecution", b"{}")
    engine.run()
    assert heard.at == [0, 0]
    starts.handle("AWSStepFunctions.StartExecution", b"{}")
    engine.run()
    assert heard.at == [0, 0, 0, 0, 1]
