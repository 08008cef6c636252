"""What a provider keeps for each of its targets while a function is warm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from lambdas.core.errors import TerminalError
from lambdas.core.targets import Target

T = TypeVar("T", bound=Target)
C = TypeVar("C")


class ByTarget(Generic[T, C]):
    """Clients by target, made when first needed; `kind` is the cloud's own kind of target, and `cloud` its name."""

    def __init__(self, kind: type[T], cloud: str, make: Callable[[T | None], C]) -> None:
        self._kind = kind
        self._cloud = cloud
        self._make = make
        self._clients: dict[Target | None, C] = {}

    def of(self, target: Target | None) -> C:
        """The clients of a target; raises TerminalError for one of another cloud."""
        if target is not None and not isinstance(target, self._kind):
            raise TerminalError("WrongProvider", f"{target.name} is not a target on {self._cloud}")
        if target not in self._clients:
            self._clients[target] = self._make(target)
        return self._clients[target]
