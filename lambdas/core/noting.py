"""A provider whose passing faults are remembered: why a saga takes its time is in its events, not only in a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from lambdas.core.errors import RetryableError, SagaNotFound
from lambdas.core.model import Fault, Intent, Resource, Saga
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.states import ENDINGS, ResourceStatus
from lambdas.core.wrapping import Call, WrappedProvider

_UNDER_WAY: Final = frozenset({ResourceStatus.CREATING, ResourceStatus.DELETING})


class NotingProvider(WrappedProvider):
    """Calls a provider; a fault that may pass is noted with the resource before it is raised.

    What is raised by the provider is fit to be shown: put a DiscreetProvider inside. The note is a courtesy: where the
    ledger does not take it, it is left out, and the fault is raised all the same.
    """

    def __init__(self, provider: Provider, ledger: Ledger) -> None:
        super().__init__(provider)
        self._ledger = ledger

    @contextmanager
    def _around(self, intent: Intent, call: Call) -> Iterator[None]:
        try:
            yield
        except RetryableError as error:
            with suppress(RetryableError, SagaNotFound):
                self._note(intent, Fault(call, error.code), f"{error}; it is tried again")
            raise

    def _note(self, intent: Intent, fault: Fault, message: str) -> None:
        self._ledger.change_resource(intent.saga_id, intent.resource_id, _troubled, message, fault=fault)


def _troubled(saga: Saga, resource: Resource) -> Resource:
    """One fault more, unless all is over: a call that is delivered again must not stir what has ended."""
    if saga.status in ENDINGS or resource.status not in _UNDER_WAY:
        return resource
    return resource.model_copy(update={"trouble": resource.trouble + 1})
