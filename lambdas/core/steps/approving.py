"""The steps about a saga that wants somebody's consent: ask for it, and give up waiting.

What is decided is in the ledger, whoever hears of it: waking the state machine only makes it look there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lambdas.core.errors import TerminalError
from lambdas.core.model import Approval, ApprovalPoint, Saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger, Standing
from lambdas.core.states import SagaStatus
from lambdas.core.steps.provisioning import wanted

_SHORTEST: Final = timedelta(seconds=1)


def awaiting(saga: Saga) -> bool:
    """Whether the saga waits for consent that may still be given."""
    return saga.status is SagaStatus.AWAITING_APPROVAL and not saga.cancel_requested


def outstanding(saga: Saga) -> bool:
    """Whether the saga needs consent that nobody has given yet; it does not commit before."""
    return saga.approval is not None and saga.approval.approved_by is None


def asked_before(saga: Saga, wave: int) -> bool:
    """Whether consent has to be asked for before that wave; the one after the last is the commit."""
    if saga.approval is None or not outstanding(saga):
        return False
    before_all = saga.approval.before is ApprovalPoint.PROVISIONING
    return before_all or wave >= len(saga.wave_sizes) or awaiting(saga)


def last_wave_before(saga: Saga) -> int:
    """The wave after which consent is asked for: -1, or the last."""
    before_all = saga.approval is not None and saga.approval.before is ApprovalPoint.PROVISIONING
    return -1 if before_all else len(saga.wave_sizes) - 1


class ApprovalSteps:
    """The steps that a state machine takes around its wait."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def seconds_left(self, approval: Approval) -> int:
        """How long to wait for consent from now on: a wait that is begun again gets no more time."""
        now = self._clock.now()
        left = (approval.approve_by or now + approval.within) - now
        return int(max(left, _SHORTEST).total_seconds())

    def ask(self, saga_id: str, token: str) -> None:
        """Have the saga wait for consent; whoever gives it wakes the task that the token stands for.

        Raises TerminalError when there is nothing to wait for: it was approved, cancelled or released in the meantime.
        """

        def change(standing: Standing) -> Saga:
            saga = standing.saga
            if saga.approval is None or not outstanding(saga) or not (wanted(saga) or awaiting(saga)):
                raise TerminalError("NothingToApprove", f"saga {saga_id} does not wait for approval (any more)")
            tokens = tuple(dict.fromkeys([*saga.approval.tokens, token]))
            approve_by = saga.approval.approve_by or self._clock.now() + saga.approval.within
            asked = saga.approval.model_copy(update={"approve_by": approve_by, "tokens": tokens})
            return saga.model_copy(update={"status": SagaStatus.AWAITING_APPROVAL, "approval": asked})

        self._ledger.change_saga(saga_id, change, "waits for approval")

    def lapse(self, saga_id: str, error: str) -> None:
        """Stop waiting: a saga that nobody approved by now is to be undone."""

        def change(standing: Standing) -> Saga:
            saga = standing.saga
            if not outstanding(saga) or not (wanted(saga) or awaiting(saga)):
                return saga
            return saga.model_copy(update={"cancel_requested": True})

        self._ledger.change_saga(saga_id, change, f"not approved: {error}")
