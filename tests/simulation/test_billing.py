"""What must hold of billing whatever happens; `python -m tests.simulation.billing` runs all ninety days."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lambdas.core.billing.windows import WindowStatus
from tests.simulation.billing import QUIET, simulate


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tens of thousands of calls would each write some metrics."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


LATE_JANUARY = datetime(2026, 1, 30, tzinfo=UTC)


def test_without_trouble_every_window_is_closed_once_and_equal_to_the_bill() -> None:
    world, violations = simulate(1, days=2, trouble=QUIET, begin=LATE_JANUARY)
    assert violations == []
    closed = [it for name in world.sources for it in world.windows.all_of(name) if it.status is WindowStatus.CLOSED]
    assert len(closed) >= 3 * 2 * 24


@pytest.mark.parametrize("seed", range(1, 3))
def test_with_all_sorts_of_trouble_every_window_is_closed_once_and_equal_to_the_bill(seed: int) -> None:
    world, violations = simulate(seed, days=2, begin=LATE_JANUARY)
    assert violations == []
    bench = world.bench
    assert min(bench.killed, bench.throttles) > 0
