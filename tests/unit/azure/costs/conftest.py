"""A simulated Azure with a bill for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.azure.costs.billed import BilledAzure, billed_azure


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[BilledAzure]:
    with billed_azure(monkeypatch, cost_rows=2) as running:
        yield running
