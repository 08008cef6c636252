"""What all tests share: which of them must run in one process, because they share something costly to make."""

from __future__ import annotations

from pathlib import Path

import pytest

_TOGETHER = ("deploys", "e2e", "infra", "mutants", "outages", "simulation")
_ON_SIMULATED_CLOUDS = ("simulation", "mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each of these folders on one xdist worker."""
    for item in items:
        folder = _folder(item)
        if folder in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture(autouse=True)
def no_endpoint_of_another_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without the AWS endpoint that the simulated clouds keep in the environment for as long as the session."""
    if _folder(request.node) not in _ON_SIMULATED_CLOUDS:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]
