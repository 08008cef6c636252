"""The Lambda handler of the ledger's stream: gives notice of what has changed, and counts what has ended.

What could not be told is reported as failed, so that Lambda hands it on again from there: nothing is lost and nothing
overtakes what came before it, but some may be told twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from lambdas.adapters import clients
from lambdas.adapters.announcements import EventBridgeAnnouncements
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.ledger_stream import NamesOfSagas, position, written
from lambdas.adapters.observability import StepHandler, logger, measure, observed
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.announcing import SagaWritten, Written, figures_of, notice_of
from lambdas.core.errors import RetryableError, SagaNotFound
from lambdas.core.notices import Notice
from lambdas.core.ports.announcements import Announcements, Untold

_UNREADABLE: Final = (LookupError, SagaNotFound, ValidationError)


class Announcer(NamedTuple):
    """Who tells, and who knows what sagas are called."""

    announcements: Announcements
    names: NamesOfSagas


class _Told(NamedTuple):
    """A write, the record it came in, and what is to be told of it."""

    place: int
    written: Written
    notice: Notice | None


def announce_handler(make: Callable[[], Announcer]) -> StepHandler:
    """The handler over an announcer that is made at the first call."""
    announcer = cache(make)

    @observed("announce")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        records = event["Records"]
        told, failed = _tell(announcer(), records)
        for it in told:
            for figure in figures_of(it.written):
                measure(figure.metric, figure.value, figure.unit, **figure.dimensions)
        sagas = sorted({it.notice.id.partition("/")[0] for it in told if it.notice})
        logger.info("announced", extra={"records": len(records), "failed_at": failed, "sagas": sagas})
        failures = [] if failed is None else [{"itemIdentifier": position(records[failed])}]
        return {"batchItemFailures": failures}

    return handle


def _tell(announcer: Announcer, records: Sequence[Mapping[str, Any]]) -> tuple[list[_Told], int | None]:
    """What was told, and the first record that was not."""
    read, failed = _read(announcer, records)
    notices = [(it.place, it.notice) for it in read if it.notice]
    try:
        announcer.announcements.announce([notice for _, notice in notices])
    except Untold as untold:
        logger.warning("not all was told", extra={"reason": str(untold)})
        failed = notices[untold.first][0]
        read = [it for it in read if it.place < failed]
    return read, failed


def _read(announcer: Announcer, records: Sequence[Mapping[str, Any]]) -> tuple[list[_Told], int | None]:
    """What is to be told of the records, up to the first that cannot be read, and which that is."""
    read: list[_Told] = []
    for place, record in enumerate(records):
        try:
            it = written(record)
            if isinstance(it, SagaWritten):
                announcer.names.note(it.after)
            if it is not None:
                read.append(_Told(place, it, notice_of(it, announcer.names)))
        except (RetryableError, *_UNREADABLE) as error:  # its text may quote the item
            logger.warning("not read", extra={"error": type(error).__name__, "position": position(record)})
            return read, place
    return read, None


def _deployed() -> Announcer:
    settings = LedgerSettings.from_environment(os.environ)
    ledger = cache(lambda: DynamoLedger(clients.dynamodb(), settings.table, SystemClock()))
    return Announcer(EventBridgeAnnouncements(clients.events()), NamesOfSagas(ledger))


handler = announce_handler(_deployed)
