"""What can happen to one resource: the steps about it, its cloud, and its requests on the wire.

Steps are split between any two of their actions. None waits for its turn: each may be taken whenever its own code does
not refuse, which covers every order that state machines, retries, duplicates, redrives and rescues can produce.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from lambdas.core.states import ResourceStatus, check_resource
from tests.model.checker import Kind
from tests.model.rules import Rules
from tests.model.state import NEVER, Call, Header, Resource, Step

T = TypeVar("T", Call, int)

_UNDECIDED = (ResourceStatus.PLANNED, ResourceStatus.CREATING)
_USEFUL_IN = {
    Step.STALE: _UNDECIDED,
    Step.ANSWERED: _UNDECIDED,
    Step.SEEN_READY: (ResourceStatus.CREATING,),
    Step.FOUND: (ResourceStatus.DELETING, ResourceStatus.STUCK),
    Step.MISSED: (ResourceStatus.DELETING, ResourceStatus.STUCK),
}


class Change(NamedTuple):
    """One way on for a resource."""

    label: str
    kind: Kind
    after: Resource
    wrote: bool = False
    """It wrote to the ledger, so whoever has read before is behind."""


def resource_changes(rules: Rules, header: Header, it: Resource) -> Iterator[Change]:
    """Everything that can happen to a resource next, but for time."""
    yield from _creating(rules, header, it)
    yield from _observing(rules, header, it)
    if header.goal is not None:
        yield from _releasing(rules, header, it)
    if it.wire:
        yield Change("a late request takes effect", Kind.PROGRESS, _effect(rules, it._replace(wire=it.wire[1:])))
    for call in it.calls:
        yield Change("an invocation dies", Kind.FAULT, _drop(it, call))
        yield from _continuing(rules, header, it, call)


def _creating(rules: Rules, header: Header, it: Resource) -> Iterator[Change]:
    """Begins `ProvisioningSteps.create`."""
    if len(it.calls) == rules.calls or (rules.fenced and not header.wanted):
        return
    due = Kind.PROGRESS if header.wanted and not it.calls else Kind.REPEAT
    if it.status is ResourceStatus.PLANNED:
        if rules.intent_first:
            yield Change("create: reads", due, _add(it, Call(Step.READ, rules.step)))
        else:
            yield Change("create: passes the fence", due, _pass(header, it, rules.step))
    elif it.status is ResourceStatus.CREATING and not it.recorded:
        yield Change("create: passes the fence again", due, _pass(header, it, rules.step))


def _observing(rules: Rules, header: Header, it: Resource) -> Iterator[Change]:
    """Begins `ProvisioningSteps.observe`, or records that a create failed or took too long (`SagaSteps.fail`)."""
    if it.status in _UNDECIDED:
        yield Change("fail", Kind.FAULT, _status(it, ResourceStatus.FAILED), wrote=True)
    looking = it.status is ResourceStatus.CREATING and it.recorded and header.wanted
    if looking and it.lives and len(it.calls) < rules.calls:
        due = Kind.REPEAT if it.calls else Kind.PROGRESS
        yield Change("observe: sees it ready", due, _add(it, Call(Step.SEEN_READY, rules.step)))


def _releasing(rules: Rules, header: Header, it: Resource) -> Iterator[Change]:
    """`ReleaseSteps.delete` and the beginning of `observe`, `SagaSteps.stick`, and a sweep's doubts."""
    if it.status not in (ResourceStatus.ABSENT, ResourceStatus.STUCK):
        given_up = _status(it, ResourceStatus.STUCK if it.intended else ResourceStatus.ABSENT)
        yield Change("stick", Kind.FAULT, given_up, wrote=True)
    due = header.releasing or not rules.delete_in_release
    if due and it.status not in (ResourceStatus.DELETING, ResourceStatus.ABSENT):
        kind = Kind.PROGRESS if header.releasing else Kind.REPEAT
        if it.intended:
            yield Change("delete: begins", kind, _status(it, ResourceStatus.DELETING), wrote=True)
        else:
            yield Change("delete: never asked for", kind, _status(it, ResourceStatus.ABSENT), wrote=True)
    if header.releasing and it.status is ResourceStatus.ABSENT and it.intended:
        yield Change("fence: doubts its absence", Kind.REPEAT, _status(it, ResourceStatus.DELETING), wrote=True)
    if it.status is ResourceStatus.DELETING:
        if rules.undo_again or not it.asked:
            yield from _deleting(rules, it)
        yield from _looking(rules, it)


def _deleting(rules: Rules, it: Resource) -> Iterator[Change]:
    """A removal that takes its time is one that is asked for later: until then it is there."""
    asked = it._replace(asked=not rules.undo_again)
    if it.lives:
        yield Change("delete: removes it", Kind.PROGRESS, asked._replace(lives=False, young=0))
    if not it.lives or it.young:
        yield Change("delete: sees nothing", Kind.FAULT if it.young else Kind.PROGRESS, asked)


def _looking(rules: Rules, it: Resource) -> Iterator[Change]:
    """A look that would change nothing, or is one of two at once, is a repeat; one that misses what is new, a fault."""
    if len(it.calls) == rules.calls:
        return
    alone = not any(call.step in (Step.FOUND, Step.MISSED) for call in it.calls)
    missed = _add(it, Call(Step.MISSED, rules.step, it.since))
    if it.lives:
        due = Kind.PROGRESS if alone and it.since != NEVER else Kind.REPEAT
        yield Change("look: finds it", due, _add(it, Call(Step.FOUND, rules.step)))
        if it.young:
            yield Change("look: misses it", Kind.FAULT, missed)
    else:
        due = Kind.PROGRESS if alone and (it.since == NEVER or it.since >= rules.settling) else Kind.REPEAT
        yield Change("look: finds nothing", due, missed)


def _continuing(rules: Rules, header: Header, it: Resource, call: Call) -> Iterator[Change]:
    """The next action of an invocation."""
    rest = _drop(it, call)
    match call.step:
        case Step.READ:
            yield from _intending(header, rest, call)
        case Step.STALE if rules.intent_versioned:
            yield Change("create: is behind, reads again", Kind.PROGRESS, _read_again(header, rest, call))
        case Step.STALE:
            yield from _intending(header, rest, call)
        case Step.PASSED:
            yield from _asking(rules, it, rest, call)
        case Step.ANSWERED:
            status = ResourceStatus.CREATING if it.status is ResourceStatus.PLANNED else it.status
            recorded = rest._replace(recorded=True, status=status, intended=True)
            yield Change("create: records the operation", Kind.PROGRESS, recorded, wrote=recorded != rest)
        case Step.SEEN_READY:
            yield Change("observe: writes READY", Kind.PROGRESS, _status(rest, ResourceStatus.READY), wrote=True)
        case Step.FOUND:
            yield Change("look: absence is over", Kind.PROGRESS, rest._replace(since=NEVER), rest.since != NEVER)
        case Step.MISSED:
            after = _missed(rules, rest, call)
            yield Change("look: absence lasts", Kind.PROGRESS, after, wrote=after != rest)


def _intending(header: Header, rest: Resource, call: Call) -> Iterator[Change]:
    """The intent's transaction. One that does not demand a version overwrites whatever came between."""
    intended = rest._replace(status=ResourceStatus.CREATING, intended=True)
    yield Change("create: writes the intent", Kind.PROGRESS, _pass(header, intended, call.left), wrote=True)


def _read_again(header: Header, rest: Resource, call: Call) -> Resource:
    if not header.wanted:
        return rest
    if rest.status is ResourceStatus.PLANNED:
        return _add(rest, Call(Step.READ, call.left))
    if rest.status is ResourceStatus.CREATING and not rest.recorded:
        return _pass(header, rest, call.left)
    return rest


def _asking(rules: Rules, it: Resource, rest: Resource, call: Call) -> Iterator[Change]:
    """The create call: taken, refused, lost, late or twice."""
    answered = Call(Step.ANSWERED, call.left)
    effect = _effect(rules, rest)
    yield Change("create: asks the cloud", Kind.PROGRESS, _add(effect, answered))
    yield Change("create: its answer is lost", Kind.FAULT, effect)
    if len(it.wire) < rules.calls:
        late = (*it.wire, rules.wire)
        yield Change("create: its request is late", Kind.FAULT, rest._replace(wire=_sorted(late)))
        yield Change("create: arrives twice", Kind.FAULT, _add(effect, answered)._replace(wire=_sorted(late)))


def _effect(rules: Rules, it: Resource) -> Resource:
    """A create takes effect: what lives is given again, but the cloud is not trusted to remember what it removed."""
    if not it.lives:
        return it._replace(lives=True, young=rules.stale)
    return it if rules.token else it._replace(twins=True)


def _missed(rules: Rules, it: Resource, call: Call) -> Resource:
    """Absence has lasted for the settling window, or is noted."""
    since = max(0, call.since)
    waited = since - (rules.step - call.left) if rules.clock_first else since
    if waited < rules.settling:
        return it._replace(since=since)
    if it.status is ResourceStatus.DELETING and it.since == call.since:
        return _status(it, ResourceStatus.ABSENT)
    return it


def aged(rules: Rules, it: Resource) -> Resource | None:
    """The resource a tick later; None while something must happen first."""
    if 0 in it.wire or any(call.left == 0 for call in it.calls):
        return None
    calls = (call._replace(left=call.left - 1, since=_older(rules, call.since)) for call in it.calls)
    return it._replace(
        since=_older(rules, it.since),
        calls=_sorted(calls),
        wire=tuple(left - 1 for left in it.wire),
        young=max(0, it.young - 1),
    )


def behind(it: Resource) -> Resource:
    """The resource after something of its saga was written: who is about to write an intent has old news."""
    if not any(call.step is Step.READ for call in it.calls):
        return it
    calls = (call._replace(step=Step.STALE) if call.step is Step.READ else call for call in it.calls)
    return it._replace(calls=_sorted(calls))


def _older(rules: Rules, since: int) -> int:
    """A tick later; no rule asks how much older than this an absence is."""
    oldest = rules.settling + (rules.step if rules.clock_first else 0)
    return since if since == NEVER else min(oldest, since + 1)


def tidy(rules: Rules, it: Resource) -> Resource:
    """The same situation without what cannot matter any more, so that it is one state.

    The next release sets `absent_since` anew, and an invocation that would find itself too late is as good as dead.
    """
    useful = _USEFUL_IN if rules.intent_versioned else {}
    calls = tuple(call for call in it.calls if it.status in useful.get(call.step, (it.status,)))
    since = it.since if it.status is ResourceStatus.DELETING else NEVER
    return it._replace(calls=calls, since=since, recorded=it.recorded and it.status is ResourceStatus.CREATING)


def _pass(header: Header, it: Resource, left: int) -> Resource:
    """A create begins here: from now on the invocation may ask the cloud, fence or no fence."""
    return _add(it, Call(Step.PASSED, left))._replace(trespass=it.trespass or header.fenced)


def _status(it: Resource, status: ResourceStatus) -> Resource:
    check_resource(it.status, status)
    return it._replace(status=status)


def _add(it: Resource, call: Call) -> Resource:
    return it._replace(calls=_sorted((*it.calls, call)))


def _drop(it: Resource, call: Call) -> Resource:
    place = it.calls.index(call)
    return it._replace(calls=it.calls[:place] + it.calls[place + 1 :])


def _sorted(values: Iterable[T]) -> tuple[T, ...]:
    """One order for what has none, so that the same situation is one state."""
    return tuple(sorted(values))
