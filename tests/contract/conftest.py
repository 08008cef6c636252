"""Each public cloud under the provider contract."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from tests.contract.cloud import CloudUnderTest


@pytest.fixture(params=["aws", "azure", "gcp"])
def cloud(request: pytest.FixtureRequest) -> Iterator[CloudUnderTest]:
    module = importlib.import_module(f"tests.contract.{request.param}_cloud")
    with getattr(module, f"{request.param}_cloud")() as under_test:
        yield under_test
