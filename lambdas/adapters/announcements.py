"""EventBridge: the bus on which others are told what happens to sagas, resources and budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lambdas.adapters.refusals import retryable
from lambdas.core.errors import RetryableError
from lambdas.core.notices import Notice
from lambdas.core.ports.announcements import Untold

SOURCE: Final = "skysaga"

_AT_ONCE: Final = 10
"""Entries that PutEvents takes; all our details together are far below its 256 KB."""


class EventBridgeAnnouncements:
    """Puts events on the account's own bus."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def announce(self, notices: Sequence[Notice]) -> None:
        """Put an event for each, in order; raises Untold."""
        for first in range(0, len(notices), _AT_ONCE):
            refused = self._put(notices[first : first + _AT_ONCE], first)
            if refused is not None:
                place, code = refused
                raise Untold(code, "EventBridge took no event", first + place)

    def _put(self, notices: Sequence[Notice], first: int) -> tuple[int, str] | None:
        """The place and the code of the first that was refused, if any was."""
        try:
            with retryable("the event could not be sent", "EventBridge did not answer"):
                answer = self._client.put_events(Entries=[_entry(it) for it in notices])
        except RetryableError as error:
            raise Untold(error.code, "the events could not be sent", first) from error
        if not answer["FailedEntryCount"]:
            return None
        return next((place, it["ErrorCode"]) for place, it in enumerate(answer["Entries"]) if it.get("ErrorCode"))


def _entry(notice: Notice) -> Mapping[str, str]:
    return {"Source": SOURCE, "DetailType": notice.KIND, "Detail": notice.model_dump_json()}
