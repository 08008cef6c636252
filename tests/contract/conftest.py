"""Each cloud under the provider contract, and the public ones under what else they keep to."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.core.specs import PROVIDERS, PUBLIC_PROVIDERS
from tests.contract.cloud import CloudUnderTest, PublicCloud


@pytest.fixture(params=PROVIDERS)
def cloud(request: pytest.FixtureRequest) -> Iterator[CloudUnderTest]:
    yield from _under_test(request.param)


@pytest.fixture(params=PUBLIC_PROVIDERS)
def public_cloud(request: pytest.FixtureRequest) -> Iterator[PublicCloud]:
    yield from _under_test(request.param)


def _under_test(name: str) -> Iterator[Any]:
    module = importlib.import_module(f"tests.contract.{name}_cloud")
    with getattr(module, f"{name}_cloud")() as under_test:
        yield under_test
