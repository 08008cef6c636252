"""What all tests share: which of them must run in one process, because they share something costly to make."""

from __future__ import annotations

from pathlib import Path

import pytest

_TOGETHER = ("e2e", "infra")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each of these folders on one xdist worker."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))
