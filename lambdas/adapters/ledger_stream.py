"""The stream of the ledger's table: what was written to headers and resources, record by record.

A record has an item as it was and as it is, in the form that `ledger_items.py` gives to items.
Source: the DynamoDB developer guide, "Change data capture for DynamoDB Streams"; Lambda's, "Using AWS Lambda with
Amazon DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from lambdas.adapters.ledger_items import HEADER, RESOURCE
from lambdas.core.announcing import Named, ResourceWritten, SagaWritten, Written
from lambdas.core.model import Record, Resource, Saga
from lambdas.core.ports.ledger import Ledger

MOST_REMEMBERED: Final = 1000

R = TypeVar("R", bound=Record)


def position(record: Mapping[str, Any]) -> str:
    """Where a record stands in its stream."""
    return str(record["dynamodb"]["SequenceNumber"])


def written(record: Mapping[str, Any]) -> Written | None:
    """What a record says was written; None where that is neither a header nor a resource, or was deleted.

    Raises ValidationError or LookupError for one that no version of the ledger has written.
    """
    change = record["dynamodb"]
    before, after = change.get("OldImage"), change.get("NewImage")
    if after is None:
        return None
    at = _moment(change["ApproximateCreationDateTime"])
    key = after["sk"]["S"]
    if key == HEADER:
        return SagaWritten(_read(Saga, before), _record(Saga, after), at)
    if key.startswith(RESOURCE):
        return ResourceWritten(_read(Resource, before), _record(Resource, after), at)
    return None


class NamesOfSagas:
    """What sagas are called, from their headers as they pass by; of those that have not, the ledger is asked, once."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._known: dict[str, Named] = {}

    def note(self, saga: Saga) -> Named:
        """Remember a saga, and forget the one that was remembered first where there are too many."""
        self._known[saga.id] = Named(saga.name, saga.labels)
        if len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        return Named(saga.name, saga.labels)

    def __call__(self, saga_id: str) -> Named:
        """The name and labels of a saga; raises RetryableError where the ledger does not answer."""
        return self._known.get(saga_id) or self.note(self._ledger().saga(saga_id))


def _read(kind: type[R], item: Mapping[str, Any] | None) -> R | None:
    return None if item is None else _record(kind, item)


def _record(kind: type[R], item: Mapping[str, Any]) -> R:
    return kind.model_validate_json(item["document"]["S"])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC).replace(microsecond=0)
