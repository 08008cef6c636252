"""A fresh VMM server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.scvmm.vmm_server import VmmServer, vmm_server


@pytest.fixture
def vmm() -> Iterator[VmmServer]:
    with vmm_server() as server:
        yield server
