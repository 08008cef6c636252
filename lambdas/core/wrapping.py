"""A provider around another one, for what is to be done about all of its calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from enum import StrEnum

from lambdas.core.model import Intent
from lambdas.core.ports.provider import Observation, Provider


class Call(StrEnum):
    """What a provider is asked to do about an intent, as events name it."""

    CREATE = "create"
    OBSERVE = "observe"
    DELETE = "delete"


class WrappedProvider(ABC):
    """Calls a provider, every call inside what `_around` makes of it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @abstractmethod
    def _around(self, intent: Intent, call: Call) -> AbstractContextManager[None]:
        """What a call is made inside of."""

    @property
    def settling_seconds(self) -> float:
        """The provider's own."""
        return self._provider.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """The provider's own."""
        return self._provider.repeat_seconds

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """The provider's own."""
        return self._provider.parts(intent)

    def create(self, intent: Intent, part: str) -> str:
        """Begin creating a part."""
        with self._around(intent, Call.CREATE):
            return self._provider.create(intent, part)

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at a part."""
        with self._around(intent, Call.OBSERVE):
            return self._provider.observe(intent, part)

    def delete(self, intent: Intent) -> None:
        """Begin removing what can go."""
        with self._around(intent, Call.DELETE):
            self._provider.delete(intent)

    def find(self, intent: Intent) -> list[str]:
        """What exists of an intent."""
        with self._around(intent, Call.OBSERVE):
            return self._provider.find(intent)
