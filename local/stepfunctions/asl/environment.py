"""What an expression can see besides its document: the context object (`$$`) and the variables (`$name`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from local.stepfunctions.jsontext import Json


class Environment:
    """One evaluation's surroundings; the context object is built only when an expression asks for it."""

    __slots__ = ("_build_context", "_context", "_source", "states", "variables")

    def __init__(
        self, build_context: Callable[[], Json], variables: Mapping[str, Json], source: Callable[[], Random] = Random
    ) -> None:
        self._build_context = build_context
        self._context: Json = None
        self.variables = variables
        self.states: dict[str, Json] = {}
        self._source = source

    @property
    def random(self) -> Random:
        """Where States.UUID and its like draw from."""
        return self._source()

    @property
    def context(self) -> Json:
        """The context object, as `$$` and `$states.context` show it."""
        if self._context is None:
            self._context = self._build_context()
        return self._context

    def forget_context(self) -> None:
        """Have the context object built anew, because a task token or a retry has changed it."""
        self._context = None
