"""What is made only when somebody needs it, because what it imports takes longer than all that is needed at first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Made = TypeVar("Made")


class Later(Generic[Made]):
    """Something that is made once, by whoever asks first; whoever asks meanwhile waits."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: list[Made] = []

    def __call__(self) -> Made:
        """What is made."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class LaterApplication:
    """A WSGI application that its first request makes."""

    def __init__(self, application: Callable[[], WSGIApplication]) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let it answer one request."""
        return self._application()(environ, start_response)
