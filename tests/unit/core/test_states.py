"""The table of transitions: written out a second time, so that a change to it is a decision."""

from __future__ import annotations

from itertools import product

import pytest

from lambdas.core.errors import IllegalTransition
from lambdas.core.states import ENDINGS, ResourceStatus, SagaStatus, check_resource, check_saga

SAGA = """
PENDING            PROVISIONING COMPENSATING
PROVISIONING       AWAITING_APPROVAL COMMITTED COMPENSATING
AWAITING_APPROVAL  PROVISIONING COMPENSATING
COMMITTED          RELEASING
COMPENSATING       ROLLED_BACK NEEDS_ATTENTION
ROLLED_BACK        COMPENSATING
RELEASING          RELEASED NEEDS_ATTENTION
RELEASED           RELEASING
NEEDS_ATTENTION    COMPENSATING RELEASING
"""

RESOURCE = """
PLANNED   CREATING FAILED ABSENT
CREATING  PLANNED READY FAILED DELETING STUCK
READY     DELETING STUCK
FAILED    ABSENT DELETING STUCK
DELETING  ABSENT STUCK
ABSENT    DELETING
STUCK     DELETING
"""


def allowed(table: str) -> set[tuple[str, str]]:
    rows = [row.split() for row in table.strip().splitlines()]
    return {(row[0], after) for row in rows for after in [row[0], *row[1:]]}


@pytest.mark.parametrize(("before", "after"), list(product(SagaStatus, SagaStatus)))
def test_a_saga_goes_only_where_the_table_lets_it(before: SagaStatus, after: SagaStatus) -> None:
    if (before, after) in allowed(SAGA):
        check_saga(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
            check_saga(before, after)


@pytest.mark.parametrize(("before", "after"), list(product(ResourceStatus, ResourceStatus)))
def test_a_resource_goes_only_where_the_table_lets_it(before: ResourceStatus, after: ResourceStatus) -> None:
    if (before, after) in allowed(RESOURCE):
        check_resource(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}"):
            check_resource(before, after)


def test_every_saga_that_has_begun_can_still_reach_an_ending() -> None:
    for begin in SagaStatus:
        reached = {str(begin)}
        while more := {after for before, after in allowed(SAGA) if before in reached} - reached:
            reached |= more
        assert reached & ENDINGS


def test_once_compensation_has_begun_no_way_leads_to_a_commit() -> None:
    reached: set[str] = {SagaStatus.COMPENSATING}
    while more := {after for before, after in allowed(SAGA) if before in reached} - reached:
        reached |= more
    assert not reached & {SagaStatus.COMMITTED, SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL}


def test_from_absence_there_is_only_another_removal() -> None:
    reached = {"ABSENT"}
    while more := {after for before, after in allowed(RESOURCE) if before in reached} - reached:
        reached |= more
    assert reached == {"ABSENT", "DELETING", "STUCK"}
