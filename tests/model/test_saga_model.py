"""What holds of every state that a saga can get into, and that each rule is needed for it."""

from __future__ import annotations

from typing import Final

import pytest

from lambdas.core.states import RESOURCE_TRANSITIONS, SAGA_TRANSITIONS, ResourceStatus
from tests.model.checker import Trace, check
from tests.model.rules import SIZES, Rules
from tests.model.saga_model import SagaModel

BESIDE_A_DUPLICATE: Final = Rules(resources=1, calls=2)
ALONE: Final = Rules(resources=1, calls=1)


ONLY_ON_PRIVATE_CLUSTERS = {(ResourceStatus.CREATING, ResourceStatus.PLANNED)}
"""A machine leaves a cluster that has no room for it; the model knows one place, tests.simulation.private several."""


def broken(rules: Rules) -> Trace:
    """How the model goes wrong by those rules."""
    trace = check(SagaModel(rules).system()).trace
    assert trace is not None, "the model cannot tell these rules from right ones"
    return trace


@pytest.mark.parametrize("rules", SIZES, ids=lambda it: f"{it.resources} resources, {it.calls} calls")
def test_whatever_happens_all_exist_or_none_and_every_run_ends(rules: Rules) -> None:
    verdict = check(SagaModel(rules).system())
    assert verdict.trace is None
    assert verdict.states > 1900


def test_without_the_fence_a_create_begins_though_compensation_has() -> None:
    assert broken(BESIDE_A_DUPLICATE._replace(fenced=False)).problem == "a create began after the fence"


def test_a_fence_outside_the_intents_transaction_is_none() -> None:
    trace = broken(ALONE._replace(intent_versioned=False))
    assert trace.problem == "a create began after the fence"
    assert trace.labels[1:] == ("create: reads", "cancel", "create: writes the intent")


def test_absence_believed_at_once_leaves_an_orphan() -> None:
    trace = broken(ALONE._replace(settling=0))
    assert trace.problem == "there, but absent in the ledger"
    assert "look: misses it" in trace.labels


def test_the_window_must_outlast_a_create_under_way_a_lagging_read_and_the_look_itself() -> None:
    needed = BESIDE_A_DUPLICATE.step + BESIDE_A_DUPLICATE.wire + BESIDE_A_DUPLICATE.stale + BESIDE_A_DUPLICATE.step
    assert check(SagaModel(BESIDE_A_DUPLICATE._replace(settling=needed)).system()).trace is None
    trace = broken(BESIDE_A_DUPLICATE._replace(settling=needed - 1))
    assert trace.problem == "there, but absent in the ledger"
    assert "a late request takes effect" in trace.labels


def test_a_clock_read_before_the_look_would_need_a_window_shorter_by_a_step() -> None:
    shorter = BESIDE_A_DUPLICATE._replace(clock_first=True, settling=BESIDE_A_DUPLICATE.settling - 1)
    assert check(SagaModel(shorter).system()).trace is None
    broken(shorter._replace(settling=shorter.settling - 1))


def test_a_random_token_makes_twins() -> None:
    assert broken(BESIDE_A_DUPLICATE._replace(token=False)).problem == "two live for one intent"


def test_asking_before_the_intent_is_written_leaves_what_nobody_knows_of() -> None:
    assert broken(ALONE._replace(intent_first=False)).problem == "there without an intent"


def test_a_compensation_that_does_not_spare_what_committed_undoes_it() -> None:
    trace = broken(ALONE._replace(spares_committed=False))
    assert trace.problem == "a commit was compensated"
    assert trace.labels[-2:] == ("decide: commits", "fence: compensate, late")


def test_a_commit_outside_the_transaction_that_finds_all_ready_loses_a_cancel() -> None:
    trace = broken(ALONE._replace(commit_versioned=False))
    assert trace.problem == "a cancel was accepted, and the saga committed"
    assert trace.labels[-2:] == ("cancel", "decide: commits")


def test_a_commit_that_does_not_wait_for_approval_is_caught() -> None:
    trace = broken(ALONE._replace(commit_approved=False))
    assert trace.problem == "committed without the approval it asks for"
    assert trace.labels[0] == "begin, to be approved"


def test_a_delete_that_is_delivered_when_the_release_is_over_would_hide_what_is_left() -> None:
    trace = broken(ALONE._replace(delete_in_release=False))
    assert trace.problem == "left behind, and not named"
    assert trace.labels.index("conclude") < trace.labels.index("delete: begins")


def test_one_attempt_at_undoing_is_not_enough() -> None:
    assert broken(ALONE._replace(undo_again=False)).problem == "stops without an ending"


def test_the_model_changes_statuses_as_the_code_allows_and_in_every_way_that_it_does() -> None:
    taken: set[tuple[str, str]] = set()
    model = SagaModel(ALONE)
    initial = model.system().initial
    met, work = {initial}, [initial]
    while work:
        state = work.pop()
        saga, (resource,) = model.statuses(state)
        for move in model.moves(state):
            saga_after, (resource_after,) = model.statuses(move.after)
            taken |= {(saga, saga_after), (resource, resource_after)}
            if move.after not in met:
                met.add(move.after)
                work.append(move.after)
    changes = {(before, after) for before, after in taken if before != after}
    allowed: set[tuple[str, str]] = {*SAGA_TRANSITIONS, *RESOURCE_TRANSITIONS}
    assert changes == allowed - ONLY_ON_PRIVATE_CLUSTERS
