"""A saga as its functions tell it: which waves it has, and how each step about it and its resources ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from lambdas.core.division import batch_of, batches_of
from lambdas.core.steps.results import Batch, Next, WaveItem, WaveResult
from tests.statemachines.call_log import CallLog
from tests.statemachines.scripted_lambda import NO_SUCH_FUNCTION, Answer, FunctionError, Payload, Result

SAGA_FUNCTION = "skysaga-saga"
_VERBS = ("create", "observe", "delete")
_PRIVATE = "vsphere"
_OF_A_RELEASE = ("fence", "delete", "confirm", "stick", "conclude")


def step(then: Next, delay: int = 0) -> Result:
    """A step about one resource returned: what to do next, after `delay` seconds."""
    return Result({"next": then, "delay": delay})


def terminal(message: str) -> FunctionError:
    """A step failed in a way that retries are useless for."""
    return FunctionError("TerminalError", message)


def retryable(message: str) -> FunctionError:
    """A step failed in a way that passes by itself."""
    return FunctionError("RetryableError", message)


class ScriptedSaga:
    """Plays the functions of one saga; everything goes well unless told otherwise.

    A resource is named KIND-CLOUD and served by that cloud's functions, `skysaga-CLOUD-VERB`; on vsphere it is a
    machine on a private cluster. Calls are told in words: `begin`, `create web-aws`, `observe web-aws`, `fail web-aws`,
    `decide 0`, `ask` and `lapse` while provisioning; `fence`, `delete web-aws`, `confirm web-aws` (observing with the
    goal ABSENT), `stick web-aws` and `conclude 0` in a release. Batches are listed by the way, as `list 0/0` (the wave
    and the batch): it only matters what is done about what they list.
    Whoever is to hear of an asking for approval, with its token, is put into `approver`.
    """

    def __init__(self, saga_id: str, waves: Sequence[Sequence[str]], arn_prefix: str = "", version: str = "") -> None:
        self.id = saga_id
        self.provisioning = CallLog()
        self.release = CallLog()
        self.listings: list[str] = []
        self.approver: Callable[[str], object] = lambda token: None
        self._waves = waves
        self._arn_prefix = arn_prefix
        self._version = version
        self._told: dict[str, deque[Answer]] = {}

    def on(self, call: str, *answers: Answer) -> None:
        """Answer a call with these in turn, and with the last of them from then on."""
        self._told[call] = deque(answers)

    def answer(self, function: str, payload: Payload) -> Answer:
        """Note a call and answer it; a function that is not the resource's own is not found."""
        verb, call = _in_words(function, payload)
        if not verb:
            return NO_SUCH_FUNCTION
        if verb == "list":
            self.listings.append(call)
        else:
            (self.release if verb in _OF_A_RELEASE else self.provisioning).add(call, payload)
        if verb == "ask":
            self.approver(payload["token"])
        told = self._told.get(call)
        if told:
            return told.popleft() if len(told) > 1 else told[0]
        return self._all_goes_well(verb, payload)

    def wave(self, then: str, index: int) -> Result:
        """A step about the whole saga returned: what to do next, and the wave to do it to."""
        resource_ids = self._waves[index] if then in ("PROVISION", "RELEASE") else ()
        document: WaveResult = {
            "saga_id": self.id,
            "next": then,
            "wave": index,
            "batches": [self._batch(index, number) for number in range(batches_of(len(_public(resource_ids))))],
            "machines": [self._item(it) for it in resource_ids if _is_machine(it)],
        }
        return Result(document)

    def another_round(self, index: int, delay: int) -> Result:
        """A step about the whole saga returned: the same wave again, after `delay` seconds."""
        then = self.wave("PROVISION", index).document
        return Result({**then, "next": "AGAIN", "delay": delay})

    def to_be_approved(self, after: int, seconds: int) -> Result:
        """A step about the whole saga returned: wait for approval, so long, before what comes after that wave."""
        document: WaveResult = {
            "saga_id": self.id,
            "next": "APPROVE",
            "wave": after,
            "batches": [],
            "machines": [],
            "approval_seconds": seconds,
        }
        return Result(document)

    def _batch(self, wave: int, number: int) -> Batch:
        return {"saga_id": self.id, "wave": wave, "batch": number, "again": False}

    def _listed(self, wave: int, number: int) -> Result:
        return Result({"resources": [self._item(it) for it in batch_of(_public(self._waves[wave]), number)]})

    def _item(self, resource_id: str) -> WaveItem:
        functions = {verb: f"{self._arn_prefix}{_function(verb, resource_id)}{self._version}" for verb in _VERBS}
        return {"saga_id": self.id, "resource_id": resource_id, "functions": functions}

    def _all_goes_well(self, verb: str, payload: Payload) -> Result:
        if verb == "list":
            return self._listed(payload["wave"], payload["batch"])
        if verb in ("fail", "stick", "ask", "lapse"):
            return Result(None)
        if verb in ("create", "delete"):
            return step(Next.WAIT)
        if verb in ("observe", "confirm"):
            return step(Next.DONE)
        if verb in ("begin", "decide"):
            return self._provision(payload.get("wave", -1) + 1)
        return self._release(payload.get("wave", len(self._waves)) - 1)

    def _provision(self, index: int) -> Result:
        return self.wave("PROVISION" if index < len(self._waves) else "COMMITTED", index)

    def _release(self, index: int) -> Result:
        return self.wave("RELEASE" if index >= 0 else "ROLLED_BACK", index)


def _public(resource_ids: Sequence[str]) -> list[str]:
    return [it for it in resource_ids if not _is_machine(it)]


def _is_machine(resource_id: str) -> bool:
    return resource_id.endswith(f"-{_PRIVATE}")


def _function(verb: str, resource_id: str) -> str:
    cloud = resource_id.rpartition("-")[2]
    return f"skysaga-{cloud}-{verb}"


def _in_words(function: str, payload: Payload) -> tuple[str, str]:
    """A call's verb and the whole call, both empty for a function that has nothing to do with the resource."""
    if function == SAGA_FUNCTION:
        verb: str = payload["step"]
        if verb == "list":
            return verb, f"list {payload['wave']}/{payload['batch']}"
        subject = payload.get("resource_id", payload.get("wave"))
        return verb, verb if subject is None else f"{verb} {subject}"
    resource_id = payload["resource_id"]
    verb = function.rpartition("-")[2]
    if verb not in _VERBS or function != _function(verb, resource_id):
        return "", ""
    if payload.get("goal") == "ABSENT":
        verb = "confirm"
    return verb, f"{verb} {resource_id}"
