"""All that a ledger has of a saga at once, which no function of ours asks for."""

from __future__ import annotations

from lambdas.core.ports.ledger import Ledger, Snapshot
from lambdas.core.request import MAX_RESOURCES


def whole(ledger: Ledger, saga_id: str) -> Snapshot:
    """The saga and all of its resources: in the order of the request, or of their ids where it is divided."""
    return ledger.page(saga_id, None, MAX_RESOURCES)
