"""A saga that is read some of its resources at a time, so that a large one is never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lambdas.core.ports.ledger import Ledger, Snapshot

PAGE: Final = 500
"""Resources at a time: about a megabyte, which is what DynamoDB answers at once."""


def pages(ledger: Ledger, saga_id: str) -> Iterator[Snapshot]:
    """The saga and all its resources, page by page, each as last written; at least one. Raises SagaNotFound."""
    page = ledger.page(saga_id, None, PAGE)
    yield page
    while page.saga.division is not None and len(page.resources) == PAGE:
        page = ledger.page(saga_id, page.resources[-1].id, PAGE)
        yield page
