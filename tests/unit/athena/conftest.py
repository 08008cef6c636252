"""A local account with Athena, and a table of costs in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.athena import Athena
from local.aws.moto_corrections import correct_moto
from local.endpoint import Endpoint
from local.http_server import serve
from tests.fakes.clock import FakeClock
from tests.unit.athena.costs import Charge, client, make_table, put_window
from tests.unit.local_aws.step_functions import StepFunctions

NINE = datetime(2026, 11, 26, 9, tzinfo=UTC)


class _NoFunctions:
    def invoke(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no function is called")


@dataclass
class Place:
    """An account; queries wait in `held` while `holding`, and run in the thread that starts them otherwise."""

    folder: Path
    url: str = ""
    clock: FakeClock = field(default_factory=FakeClock)
    holding: bool = False
    held: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the epoch, for what is local."""
        return self.clock.now().timestamp()

    def client(self, service: str) -> Any:
        return client(service, self.url)

    def put(self, *charges: Charge, source: str = "payments", start: datetime = NINE, month: str | None = None) -> None:
        put_window(self.url, self.folder, source, start, charges, month)

    def spawn(self, run: Callable[[], None]) -> None:
        if self.holding:
            self.held.append(run)
        else:
            run()

    def let_go(self) -> None:
        self.holding = False
        for run in self.held:
            run()
        self.held.clear()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    BackendDict.reset()
    correct_moto()
    place = Place(tmp_path)
    athena = Athena(place, place.client, place.spawn)
    account = DomainDispatcherApplication(create_backend_app)
    functions: Any = _NoFunctions()
    with serve(Endpoint(StepFunctions(), functions, account, athena=athena), name="account") as server:
        place.url = server.url
        make_table(server.url)
        yield place
    athena.close()
