"""What Powertools needs outside of Lambda."""

from __future__ import annotations

import pytest

from lambdas.adapters.observability import metrics


@pytest.fixture(autouse=True)
def metrics_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.provider, "namespace", "skysaga")
