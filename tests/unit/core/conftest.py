"""One world per test."""

from __future__ import annotations

import pytest

from lambdas.core.sagas import Sagas
from tests.fakes.executions import FakeExecutions
from tests.unit.core.world import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def executions() -> FakeExecutions:
    return FakeExecutions()


@pytest.fixture
def sagas(world: World, executions: FakeExecutions) -> Sagas:
    return Sagas(world.ledger, executions, world.clock, world.clock.advance)
