"""Every saga divided as only large ones are: a shard for each resource, and a batch for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from lambdas.core import division


@contextmanager
def everything_divided() -> Iterator[None]:
    """Divide what is planned from now on, in this process; what was planned before must not be worked on any more."""
    with mock.patch.multiple(division, MOST_UNDIVIDED=0, IN_A_BATCH=1):
        yield
