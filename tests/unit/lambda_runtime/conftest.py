"""A runtime over functions in memory, closed after each test; unpacked code is shared by all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.clock import WallClock
from local.lambda_runtime.runtime import LambdaRuntime
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def deployments() -> DeploymentsInMemory:
    return DeploymentsInMemory()


@pytest.fixture
def start_runtime(
    deployments: DeploymentsInMemory, cache_dir: Path, tmp_path: Path
) -> Iterator[Callable[..., LambdaRuntime]]:
    started: list[LambdaRuntime] = []

    def start(**options: Any) -> LambdaRuntime:
        environment = options.pop("worker_environment", {"AWS_ACCESS_KEY_ID": "local"})
        clock = options.pop("clock", WallClock())
        started.append(LambdaRuntime(deployments, clock, cache_dir, tmp_path / "logs", environment, **options))
        return started[-1]

    yield start
    for runtime in started:
        runtime.close()


@pytest.fixture
def runtime(start_runtime: Callable[..., LambdaRuntime]) -> LambdaRuntime:
    return start_runtime()
