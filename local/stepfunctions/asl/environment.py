"""What an expression can see besides its document: the context object (`$$`) and the variables (`$name`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from local.stepfunctions.jsontext import Json


class Environment:
    """One evaluation's surroundings; the context object is built only when an expression asks for it."""

    __slots__ = ("_build_context", "_context", "random", "states", "variables")

    def __init__(
        self, build_context: Callable[[], Json], variables: Mapping[str, Json], random: Random | None = None
    ) -> None:
        self._build_context = build_context
        self._context: Json = None
        self.variables = variables
        self.states: dict[str, Json] = {}
        self.random = random or Random()  # noqa: S311 - States.UUID and jitter must repeat for a seed

    @property
    def context(self) -> Json:
        """The context object, as `$$` and `$states.context` show it."""
        if self._context is None:
            self._context = self._build_context()
        return self._context

    def forget_context(self) -> None:
        """Have the context object built anew, because a task token or a retry has changed it."""
        self._context = None
