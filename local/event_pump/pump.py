"""The pump: fires what is scheduled and takes events to the rules that want them, on the engine's clock.

Events and firings are delivered at least once. A delivery that fails is tried again, ever less often, for a day, as
EventBridge does; then it is given up.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from local.clock import Clock
from local.event_pump import expressions, inputs
from local.event_pump.deployed import Rule, Schedule, Source, Target
from local.event_pump.errors import NotSupported
from local.event_pump.patterns import Test, compile_pattern

_log = logging.getLogger(__name__)

_DAY: Final = 86_400.0
_LONGEST_PAUSE: Final = 600.0
_SCHEDULER_CONTEXT: Final = "<aws.scheduler."


class Timer(Protocol):
    """A call that is to happen."""

    def cancel(self) -> None:
        """Make it not happen."""
        ...


class Timeline(Protocol):
    """Whose time the pump lives by: the Step Functions engine."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        ...

    def call_at(self, moment: float, action: Callable[[], None]) -> Timer:
        """Have `action` called at `moment`, seconds since the epoch."""
        ...


class Targets(Protocol):
    """Those who can be called."""

    def check(self, target: Target) -> None:
        """Raise NotSupported for a target that nobody here can call."""
        ...

    def call(self, target: Target, text: str) -> None:
        """Hand the text to the target; whatever it raises, the delivery has failed."""
        ...


class EventPump:
    """Plays what a source holds. `start` refuses what it cannot play; call `refresh` when the source has changed."""

    def __init__(
        self,
        timeline: Timeline,
        source: Source,
        targets: Targets,
        *,
        account: str = "123456789012",
        region: str = "us-east-1",
    ) -> None:
        self._timeline = timeline
        self._source = source
        self._targets = targets
        self._account = account
        self._region = region
        self._armed: dict[str, tuple[Schedule | Rule, Timer | None]] = {}
        self._patterns: list[tuple[Rule, Test]] = []
        self._lock = threading.RLock()

    def start(self) -> None:
        """Begin; raises NotSupported naming the first rule or schedule that cannot be played."""
        for each in self._deployed():
            self._check(each)
        self.refresh()

    def refresh(self) -> None:
        """Take up what is new or changed and drop what is gone; what cannot be played is logged by name."""
        with self._lock:
            playable = {each.key: each for each in self._deployed() if each.enabled and self._is_playable(each)}
            for key, (before, timer) in list(self._armed.items()):
                if playable.get(key) != before:
                    del self._armed[key]
                    if timer is not None:
                        timer.cancel()
            for key, each in playable.items():
                if key not in self._armed:
                    self._arm(each, self._now)
            rules = [each for each in playable.values() if isinstance(each, Rule) and each.pattern is not None]
            self._patterns = [(rule, compile_pattern(rule.pattern or {})) for rule in rules]

    def status_changed(self, detail: Mapping[str, Any]) -> None:
        """Emit the event that a Step Functions execution's status has changed."""
        self.emit("aws.states", "Step Functions Execution Status Change", [detail["executionArn"]], detail)

    def emit(self, source: str, kind: str, resources: list[str], detail: Mapping[str, Any]) -> None:
        """Put an event on the default bus: every rule that matches it hands it to all its targets."""
        event = self._event(source, kind, resources, detail)
        with self._lock:
            matching = [rule for rule, matches in self._patterns if matches(event)]
        for rule in matching:
            self._hand_on(rule, event)

    def put(self, source: str, kind: str, resources: list[str], detail: Mapping[str, Any]) -> None:
        """Put an event on the default bus soon, on the timeline; callable from any thread."""
        self._timeline.call_at(self._now, lambda: self.emit(source, kind, resources, detail))

    @property
    def _now(self) -> float:
        return self._timeline.clock.now()

    def _deployed(self) -> Iterable[Schedule | Rule]:
        return [*self._source.schedules(), *self._source.rules()]

    def _check(self, each: Schedule | Rule) -> None:
        try:
            if each.expression is not None:
                self._expression(each, self._now)
            if isinstance(each, Rule):
                compile_pattern(each.pattern) if each.pattern is not None else None
                for target in each.targets:
                    inputs.check(target)
                    self._targets.check(target)
            else:
                self._targets.check(each.target)
                if _SCHEDULER_CONTEXT in (each.target.input or ""):
                    raise NotSupported(f"context attributes ({_SCHEDULER_CONTEXT}...>) in the input")
        except NotSupported as error:
            raise NotSupported(f"{each.key}: {error}") from None

    def _is_playable(self, each: Schedule | Rule) -> bool:
        try:
            self._check(each)
        except NotSupported as error:
            _log.warning("not played: %s", error)
            return False
        return True

    def _arm(self, each: Schedule | Rule, after: float) -> None:
        moment = self._next(each, after)
        timer = None if moment is None else self._timeline.call_at(moment, lambda: self._fire(each, moment))
        self._armed[each.key] = (each, timer)

    def _next(self, each: Schedule | Rule, after: float) -> float | None:
        if each.expression is None:
            return None
        if isinstance(each, Rule):
            return self._expression(each, after).next_after(after)
        once = each.expression.startswith("at(")
        start = after if once or each.start is None else max(after, each.start - 1)
        moment = self._expression(each, after).next_after(start)
        ended = moment is not None and not once and each.end is not None and moment > each.end
        return None if ended else moment

    def _expression(self, each: Schedule | Rule, now: float) -> expressions.Expression:
        zone = each.timezone if isinstance(each, Schedule) else "UTC"
        beginning = now if isinstance(each, Rule) else (each.start or each.created)
        return expressions.parse(each.expression or "", zone, beginning)

    def _fire(self, each: Schedule | Rule, moment: float) -> None:
        with self._lock:
            armed = self._armed.get(each.key)
            if armed is None or armed[0] != each:
                return
            self._arm(each, moment)
            over = self._armed[each.key][1] is None
        if isinstance(each, Rule):
            self._hand_on(each, self._event("aws.events", "Scheduled Event", [each.arn], {}))
            return
        usual = json.dumps(self._event("aws.scheduler", "Scheduled Event", [each.key], {}))
        self._deliver(each.target, each.target.input if each.target.input is not None else usual, moment, 0)
        if over and each.delete_when_done:
            self._source.delete_schedule(each)

    def _hand_on(self, rule: Rule, event: Mapping[str, Any]) -> None:
        for target in rule.targets:
            self._deliver(target, inputs.render(target, event, rule.name, rule.arn), self._now, 0)

    def _deliver(self, target: Target, text: str, since: float, attempt: int) -> None:
        try:
            self._targets.call(target, text)
        except Exception as error:
            pause = min(_LONGEST_PAUSE, 2.0**attempt)
            if self._now + pause - since > _DAY:
                _log.warning("given up after a day: %s (%s)", target.arn, type(error).__name__)
                return
            self._timeline.call_at(self._now + pause, lambda: self._deliver(target, text, since, attempt + 1))

    def _event(self, source: str, kind: str, resources: list[str], detail: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": kind,
            "source": source,
            "account": self._account,
            "time": datetime.fromtimestamp(self._now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": resources,
            "detail": dict(detail),
        }
