"""One collection of costs as its functions tell it: which sources there are, and how each step about them ends."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.core.steps.billing import SourceItem
from lambdas.core.steps.collecting import Collection, CollectionStatus
from lambdas.core.steps.summarising import SummaryResult, SummaryStatus
from tests.statemachines.call_log import CallLog
from tests.statemachines.scripted_lambda import NO_SUCH_FUNCTION, Answer, Payload, Result

BILLING_FUNCTION = "skysaga-billing"
PUBLISH_FUNCTION = "skysaga-billing-publish"
COLLECTOR = "skysaga-costs"
_STEPS = {"plan": "plan", "note_failure": "note", "summarise": "summarise"}
_OF_A_SOURCE = {COLLECTOR: "collect", PUBLISH_FUNCTION: "publish"}


@dataclass(frozen=True)
class Ended:
    """A collector ended its task well."""

    collection: Collection


@dataclass(frozen=True)
class Failed:
    """A collector ended its task with an error."""

    error: str
    cause: str


class Silent:
    """A collector returned, and nobody will hear from it."""


Told = Answer | Ended | Failed | Silent


def collected(status: CollectionStatus, wait: int = 0) -> Ended:
    """A collector ended its task well: what to do next, after `wait` seconds."""
    return Ended(Collection(status=status, wait=wait))


def summed_up(status: SummaryStatus, wait: int = 0) -> Result:
    """A look for the summary: whether it is written, and after how many seconds to look again."""
    return Result(SummaryResult(status=status, wait=wait))


class ScriptedBilling:
    """Plays the functions of one collection; everything goes well, and nothing is due, unless told otherwise.

    Calls are told in words: `plan`, `collect shop`, `publish shop`, `note shop` and `summarise`.
    """

    def __init__(self, window: str, sources: Sequence[str], stepfunctions: Any, collector: str = COLLECTOR) -> None:
        self.window = window
        self.sources = sources
        self.log = CallLog()
        self._plan = [SourceItem(source=name, collector=collector) for name in sources]
        self._stepfunctions = stepfunctions
        self._told: dict[str, deque[Told]] = {}

    def on(self, call: str, *answers: Told) -> None:
        """Answer a call with these in turn, and with the last of them from then on."""
        self._told[call] = deque(answers)

    def answer(self, function: str, payload: Payload) -> Answer:
        """Note a call and answer it; a function of another name is not found."""
        call = _in_words(function, payload)
        if not call:
            return NO_SUCH_FUNCTION
        self.log.add(call, payload)
        told = self._next(call)
        return self._end(told, payload["token"]) if isinstance(told, Ended | Failed | Silent) else told

    def when_all_goes_well(self, call: str) -> Told:
        """What a call comes to that nothing else was told of."""
        match call.partition(" ")[0]:
            case "plan":
                return Result({"window": self.window, "sources": self._plan})
            case "collect":
                return collected(CollectionStatus.DONE)
            case "summarise":
                return summed_up(SummaryStatus.DONE)
        return Result(None)

    def _next(self, call: str) -> Told:
        told = self._told.get(call)
        if told:
            return told.popleft() if len(told) > 1 else told[0]
        return self.when_all_goes_well(call)

    def _end(self, told: Ended | Failed | Silent, token: str) -> Answer:
        """Do to the task what the collector does before it returns."""
        match told:
            case Ended(collection):
                self._stepfunctions.send_task_success(taskToken=token, output=json.dumps(collection))
            case Failed(error, cause):
                self._stepfunctions.send_task_failure(taskToken=token, error=error, cause=cause)
        return Result(None)


def _in_words(function: str, payload: Payload) -> str:
    """A call's step and the source it is about; empty for a function that is none of these."""
    step = _STEPS[payload["step"]] if function == BILLING_FUNCTION else _OF_A_SOURCE.get(function)
    return " ".join([step, *([payload["source"]] if "source" in payload else [])]) if step else ""
