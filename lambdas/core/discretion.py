"""A provider whose errors repeat nothing that a request marks as private: clouds quote what they refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from lambdas.core.errors import StepError
from lambdas.core.model import Intent
from lambdas.core.ports.provider import Preflight
from lambdas.core.preflight import Shortage
from lambdas.core.wrapping import Call, WrappedProvider

PLACEHOLDER: Final = "(private)"


class DiscreetProvider(WrappedProvider):
    """Calls a provider; what it raises says nothing of its intents' private values."""

    def _around(self, intent: Intent, call: Call) -> AbstractContextManager[None]:
        return _discreetly([intent])


class DiscreetPreflight:
    """Asks for shortages; what is found, or raised instead, says nothing of the intents' private values."""

    def __init__(self, preflight: Preflight) -> None:
        self._preflight = preflight

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What would be refused."""
        with _discreetly(intents):
            found = self._preflight.shortages(intents)
        private = _private(intents)
        return [it.model_copy(update={"message": _without(private, it.message)}) for it in found]


@contextmanager
def _discreetly(intents: Sequence[Intent]) -> Iterator[None]:
    try:
        yield
    except StepError as error:
        told = _without(_private(intents), str(error)).removeprefix(f"{error.code}: ")
        # not chained: what it was raised from may quote more, and whoever logs a traceback logs that, too
        raise type(error)(error.code, told) from None


def _private(intents: Sequence[Intent]) -> list[str]:
    """The private values of all intents, each once, longest first: most machines of a request have the same key."""
    values = {value for intent in intents for value in intent.definition.private_values}
    return sorted(values, key=len, reverse=True)


def _without(values: Iterable[str], text: str) -> str:
    for value in values:
        text = text.replace(value, PLACEHOLDER)
    return text
