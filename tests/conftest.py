"""What all tests share: which of them must run in one process, because they share something costly to make."""

from __future__ import annotations

import gc
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

_TOGETHER = ("outages", "e2e", "simulation", "deploys", "docs", "mutants", "infra", "statemachines", "model")
"""What takes longest comes first, so that what is short fills the gaps at the end."""

_APART = {
    "e2e": (
        ("test_private", "test_saga", "test_preflight"),
        ("test_pages", "test_console", "test_secrets", "test_redelivery", "test_targets"),
    )
}
"""Modules that another worker may take meanwhile: each part makes anew what it shares, and keeps that small."""

_ON_SIMULATED_CLOUDS = ("simulation", "mutants")


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # xdist comes without types
    """Keeps each of those folders on one worker, and every other module.

    xdist's own groups are of no effect with pytest 9.2, which no longer reads the id that they are written into.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        folder = module.split("/")[1]
        return f"{folder} {part_of(folder, Path(module).stem)}" if folder in _TOGETHER else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFolder:
    """Take the scopes in the order of collection; by itself xdist begins with those of the most tests."""
    config.option.loadscopereorder = False
    return ByFolder(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have no garbage looked for among what collecting makes: SDKs and thousands of tests, which stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    places = {folder: place for place, folder in enumerate(_TOGETHER)}
    items.sort(key=lambda it: (places.get(_folder(it), len(places)), part_of(_folder(it), it.path.stem)))


@pytest.fixture(autouse=True)
def no_endpoint_of_another_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without the AWS endpoint that the simulated clouds keep in the environment for as long as the session."""
    if _folder(request.node) not in _ON_SIMULATED_CLOUDS:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def part_of(folder: str, module: str) -> int:
    """Which part of its folder a module belongs to; 0 is what is in none of those that are named."""
    return next((part for part, names in enumerate(_APART.get(folder, ()), start=1) if module in names), 0)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]
