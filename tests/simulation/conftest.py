"""Worlds to simulate in; Powertools is without its sinks, since what functions log and measure is tested elsewhere."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.simulation import clouds as simulation
from tests.simulation.guarded import GuardedWorld
from tests.simulation.world import World, three_empty_clouds

os.environ.update(
    POWERTOOLS_SERVICE_NAME="skysaga",
    POWERTOOLS_METRICS_NAMESPACE="skysaga",
    POWERTOOLS_TRACE_DISABLED="true",
)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Tens of thousands of calls would each write some lines; a level in the environment would hold for other tests."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Clouds:
    """Three clouds that are used again as long as each run leaves them empty: making them takes longer than a run."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._world: World | None = None

    def world(self) -> World:
        """A fresh skysaga on empty clouds without faults."""
        if self._world is None or self._world.inventory():
            self.close()
            clock, clouds = self._stack.enter_context(three_empty_clouds())
        else:
            clock, clouds = self._world.clock, self._world.clouds
        for cloud in clouds.values():
            cloud.disarm()
        self._world = World(clock, clouds)
        return self._world

    def close(self) -> None:
        """Let the clouds go."""
        self._world = None
        self._stack.close()


@pytest.fixture(scope="module")
def clouds() -> Iterator[Clouds]:
    """Clouds for the worlds of one module: moto has one account per process, which the `kept` clouds make anew."""
    kept = Clouds()
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[simulation.Clouds]:
    """Clouds in this process, for sagas whose functions cross each other; they keep all others out of reach."""
    with simulation.simulated_clouds() as clouds:
        yield clouds


@pytest.fixture
def world(clouds: Clouds) -> Iterator[World]:
    fresh = clouds.world()
    yield fresh
    fresh.engine.close()


@pytest.fixture
def guarded(clouds: Clouds) -> Iterator[GuardedWorld]:
    fresh = clouds.world()
    world = GuardedWorld(fresh.clock, fresh.clouds)
    yield world
    world.engine.close()
