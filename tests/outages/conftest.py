"""One deployment for all tests of what happens when infrastructure fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.outages.site import Site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("outages"))
    yield site
    site.close()
