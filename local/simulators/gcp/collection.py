"""Resources by path, which are found by what lists are filtered by without looking at all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Final, TypeVar

Term = tuple[str, str]
"""A field of a resource's JSON, such as `labels.team`, and its value."""

T = TypeVar("T")


class Collection(MutableMapping[str, T]):
    """What is at which path; `known` tells of a resource the values of all its fields that begin like one of `fields`.

    What changes one of these values is done by `change`.
    """

    def __init__(self, fields: tuple[str, ...], known: Callable[[T], Iterable[Term]]) -> None:
        self._fields: Final = fields
        self._known: Final = known
        self._held: dict[str, T] = {}
        self._paths: dict[Term, set[str]] = {}

    def __getitem__(self, path: str) -> T:
        return self._held[path]

    def __setitem__(self, path: str, resource: T) -> None:
        if path in self._held:
            self._forget(path)
        self._held[path] = resource
        self._note(path)

    def __delitem__(self, path: str) -> None:
        self._forget(path)
        del self._held[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def change(self, path: str, change: Callable[[T], None]) -> None:
        """Let a resource be changed."""
        self._forget(path)
        change(self._held[path])
        self._note(path)

    def having(self, terms: Iterable[Term]) -> list[tuple[str, T]]:
        """In the order of their paths, all that have every one of these values, and perhaps others."""
        served = [self._paths.get(term, set()) for term in terms if term[0].startswith(self._fields)]
        return [(path, self._held[path]) for path in sorted(min(served, key=len) if served else self._held)]

    def _note(self, path: str) -> None:
        for term in self._known(self._held[path]):
            self._paths.setdefault(term, set()).add(path)

    def _forget(self, path: str) -> None:
        for term in self._known(self._held[path]):
            having = self._paths[term]
            having.discard(path)
            if not having:
                del self._paths[term]
