"""A simulated Azure for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.azure.simulated import SimulatedAzure, simulated_azure


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    with simulated_azure() as running:
        yield running
