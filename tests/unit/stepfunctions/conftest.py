from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from local.stepfunctions.pytest_plugin import clock, stepfunctions

__all__ = ["clock", "stepfunctions"]


@pytest.fixture
def dead_engines_buried() -> Iterator[None]:
    """Engines that were killed have closed nothing: their journals are open until the collector comes by."""
    yield
    gc.collect()
