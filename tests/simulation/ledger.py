"""The ledger as functions meet it in a simulation: every read and write takes time, and may be refused or unheard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lambdas.core.changes import Write
from lambdas.core.clusters import Amounts
from lambdas.core.errors import RetryableError
from lambdas.core.model import Resource, Saga, Shard
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Snapshot, Standing
from tests.fakes.ledger import FakeLedger
from tests.simulation.upsets import LEDGER_READ_KINDS, LEDGER_WRITE_KINDS

if TYPE_CHECKING:
    from tests.simulation.upsets import Upset

Ask = Callable[[str, Sequence[str]], "Upset | None"]
"""A worker's call travels to the ledger: returns what befalls it, once it has arrived."""


class SimulatedLedger(FakeLedger):
    """Optimistic like DynamoDB, a few milliseconds away, and at the mercy of what `ask` brings.

    `back` lets the answer travel; `written` hears of every write at the moment it counts, and `known` of a header that
    all who decide about resources know by now.
    """

    def __init__(
        self,
        clock: Clock,
        ask: Ask,
        back: Callable[[], None],
        written: Callable[[Write], None],
        known: Callable[[Saga], None],
    ) -> None:
        super().__init__(clock)
        self._ask = ask
        self._back = back
        self._written = written
        self._known = known

    def saga(self, saga_id: str) -> Saga:
        """The saga's header; raises SagaNotFound."""
        self._read()
        return super().saga(saga_id)

    def standing(self, saga_id: str) -> Standing:
        """The saga and what became of its resources; raises SagaNotFound."""
        self._read()
        return super().standing(saga_id)

    def batch(self, saga_id: str, wave: int, number: int) -> Snapshot:
        """The saga and the resources of one batch; raises SagaNotFound."""
        self._read()
        return super().batch(saga_id, wave, number)

    def shards(self, saga_id: str) -> list[Shard]:
        """The shards of a saga."""
        self._read()
        return super().shards(saga_id)

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        """One resource; raises SagaNotFound."""
        self._read()
        return super().resource(saga_id, resource_id)

    def now_standing(self, saga_id: str) -> Snapshot:
        """What is written, without asking for it as a function would."""
        return self._record(saga_id).snapshot

    def _shard(self, saga_id: str, number: int) -> Shard:
        self._read()
        return super()._shard(saga_id, number)

    def _tell(self, shard: Shard, saga: Saga) -> None:
        upset = self._ask("ledger:write", LEDGER_WRITE_KINDS)
        if upset is not None and upset.kind == "refused":
            raise RetryableError("ThrottlingException", "the ledger refused for now")
        super()._tell(shard, saga)
        if all(it.header >= saga.version for it in super().shards(saga.id)):
            self._known(saga)
        self._back()
        if upset is not None and upset.kind == "unanswered":
            raise RetryableError("ReadTimeoutError", "the ledger did not answer")

    def _read(self) -> None:
        upset = self._ask("ledger:read", LEDGER_READ_KINDS)
        if upset is not None and upset.kind == "refused":
            raise RetryableError("ThrottlingException", "the ledger refused for now")

    def _commit(self, write: Write, bounds: Amounts | None = None, shards: Sequence[Shard] = ()) -> bool:
        upset = self._ask("ledger:write", LEDGER_WRITE_KINDS)
        if upset is not None and upset.kind == "refused":
            raise RetryableError("ThrottlingException", "the ledger refused for now")
        counts = super()._commit(write, bounds, shards)
        if counts:
            self._written(write)
            if write.saga.division is None:
                self._known(write.saga)
        self._back()
        if upset is not None and upset.kind == "unanswered":
            raise RetryableError("ReadTimeoutError", "the ledger did not answer")
        return counts
