"""One engine per session for each name; what an engine is known to get wrong is expected to fail, and noticed if not.

`SKYSAGA_STEPFUNCTIONS_ENDPOINT` gives a third engine, which must have been started so that its Lambda calls reach
`SKYSAGA_LAMBDA_PORT` of this machine: AWS's Step Functions Local with `LAMBDA_ENDPOINT=http://HOST:PORT`, or
`python -m local.stepfunctions --virtual --lambda-endpoint http://127.0.0.1:PORT`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.statemachines.engines import EngineUnderTest, Execution, given, moto, ours
from tests.statemachines.moto_cannot import MOTO_CANNOT
from tests.statemachines.scripted_billing import COLLECTOR, ScriptedBilling
from tests.statemachines.scripted_saga import ScriptedSaga

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what moto cannot do."""
    for item in items:
        if item.path.parent == HERE and isinstance(item, pytest.Function):
            reason = MOTO_CANNOT.get(item.originalname)
            if reason and item.callspec.params["engine"] == "moto":
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))


def _given() -> AbstractContextManager[EngineUnderTest]:
    url = os.environ.get("SKYSAGA_STEPFUNCTIONS_ENDPOINT")
    if not url:
        pytest.skip("SKYSAGA_STEPFUNCTIONS_ENDPOINT names no third engine")
    return given(url, int(os.environ["SKYSAGA_LAMBDA_PORT"]))


ENGINES: dict[str, Callable[[], AbstractContextManager[EngineUnderTest]]] = {
    "ours": ours,
    "moto": moto,
    "given": _given,
}


@pytest.fixture(scope="package", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[EngineUnderTest]:
    with ENGINES[request.param]() as running:
        yield running


class Sagas:
    """Makes scripted sagas and runs the two machines on them."""

    def __init__(self, engine: EngineUnderTest) -> None:
        self._engine = engine
        self._started: list[Execution] = []

    def of(self, *waves: Sequence[str], arn_prefix: str = "", version: str = "") -> ScriptedSaga:
        """A saga of these waves that goes well unless told otherwise."""
        saga = ScriptedSaga(f"saga-{uuid4().hex}", waves, arn_prefix, version)
        self._engine.functions.follow(saga.id, saga)
        return saga

    def provision(self, saga: ScriptedSaga, machine: str | None = None) -> Execution:
        """Start the provisioning machine, or this one, as the API does."""
        return self._start(machine or self._engine.provisioning, saga.id, {"saga_id": saga.id})

    def release(self, saga: ScriptedSaga, name: str = "release-1", reason: str = "DESTROY") -> Execution:
        """Start the release machine under the saga's name and this one."""
        return self._start(self._engine.release, f"{saga.id}-{name}", {"saga_id": saga.id, "reason": reason})

    def compensation_of(self, saga: ScriptedSaga) -> Execution:
        """The one release that was started for a saga; AssertionError when there is none, or more than one."""
        found = self._engine.releases_of(saga.id)
        assert len(found) == 1, f"{len(found)} releases of {saga.id}"
        return found[0]

    def stop(self) -> None:
        """End what still runs."""
        for execution in self._started:
            execution.stop()

    def _start(self, machine_arn: str, name: str, document: dict[str, str]) -> Execution:
        execution = self._engine.start(machine_arn, name, json.dumps(document))
        self._started.append(execution)
        return execution


class Collections:
    """Makes scripted collections of costs and runs the billing machine on them."""

    def __init__(self, engine: EngineUnderTest) -> None:
        self._engine = engine
        self._started: list[Execution] = []

    def of(self, *sources: str, collector: str = COLLECTOR) -> ScriptedBilling:
        """A collection from these sources that goes well unless told otherwise."""
        billing = ScriptedBilling(f"2026-11-26T09-{uuid4().hex}", sources, self._engine.client, collector)
        self._engine.functions.follow(billing.window, billing)
        return billing

    def run(self, billing: ScriptedBilling) -> Execution:
        """Start the billing machine as the schedule does."""
        execution = self._engine.start(self._engine.billing, billing.window, json.dumps({"window": billing.window}))
        self._started.append(execution)
        return execution

    def stop(self) -> None:
        """End what still runs."""
        for execution in self._started:
            execution.stop()


@pytest.fixture
def collections(engine: EngineUnderTest) -> Iterator[Collections]:
    made = Collections(engine)
    yield made
    made.stop()


@pytest.fixture
def sagas(engine: EngineUnderTest) -> Iterator[Sagas]:
    made = Sagas(engine)
    yield made
    made.stop()
