"""The saga as DBOS workflows on SQLite.

    python dbos_saga.py DIRECTORY sequential|stages

`sequential` does one step after the other; `stages` each stage of all clouds together, as asyncio allows it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import activities
import load
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Engine, event


@event.listens_for(Engine, "connect")
def tune(connection: Any, record: object) -> None:
    """SQLite's faster journal, in which a commit does not wait for the disk."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=60000")


STEPS = {
    name: DBOS.step(name=name)(getattr(activities, name))
    for name in ("record_intent", "create", "describe", "commit", "delete", "abort")
}


def asynchronous(name: str) -> Any:
    """The step of that name for an event loop."""

    async def step(*arguments: Any) -> Any:
        if name == "describe" and activities.SLOW:
            await asyncio.sleep(activities.SLOW)
            return activities.polled(*arguments)
        return getattr(activities, name)(*arguments)

    return DBOS.step(name=f"{name}_async")(step)


ASYNC_STEPS = {name: asynchronous(name) for name in STEPS}


def branch(saga: str, cloud: str, fail: str) -> bool:
    """One cloud; whether it is ready."""
    STEPS["record_intent"](saga, cloud)
    try:
        created = STEPS["create"](saga, cloud, fail)
    except activities.QuotaExceeded:
        return False
    answer = {"ready": False, "n": 0}
    while not answer["ready"]:
        answer = STEPS["describe"](cloud, created["id"], answer["n"])
    return True


@DBOS.workflow()
def sequential(saga: str, fail: str) -> str:
    """One step after the other."""
    ready = {cloud: branch(saga, cloud, fail) for cloud in activities.CLOUDS}
    if all(ready.values()):
        STEPS["commit"](saga)
        return "COMMITTED"
    for cloud in reversed(activities.CLOUDS):
        if ready[cloud]:
            STEPS["delete"](saga, cloud)
    STEPS["abort"](saga)
    return "ROLLED_BACK"


@DBOS.workflow()
async def stages(saga: str, fail: str) -> str:
    """Every stage of all clouds together."""
    step = ASYNC_STEPS
    await asyncio.gather(*(step["record_intent"](saga, cloud) for cloud in activities.CLOUDS))
    requests = (step["create"](saga, cloud, fail) for cloud in activities.CLOUDS)
    created = dict(zip(activities.CLOUDS, await asyncio.gather(*requests, return_exceptions=True), strict=True))
    ready = [cloud for cloud in activities.CLOUDS if not isinstance(created[cloud], BaseException)]
    waiting, n = ready, 0
    while waiting:
        polls = (step["describe"](cloud, created[cloud]["id"], n) for cloud in waiting)
        answers = await asyncio.gather(*polls)
        waiting = [cloud for cloud, answer in zip(waiting, answers, strict=True) if not answer["ready"]]
        n += 1
    if len(ready) == len(activities.CLOUDS):
        await step["commit"](saga)
        return "COMMITTED"
    for cloud in reversed(ready):
        await step["delete"](saga, cloud)
    await step["abort"](saga)
    return "ROLLED_BACK"


class Sequential:
    """The engine with threads, as the load sees it."""

    def run(self, saga: str, fail: str) -> str:
        """Run a workflow."""
        with SetWorkflowID(saga):
            return sequential(saga, fail)

    def begin(self, saga: str) -> None:
        """Start a workflow."""
        with SetWorkflowID(saga):
            DBOS.start_workflow(sequential, saga, "")

    def finish(self, saga: str) -> str:
        """Wait for a workflow's result."""
        end: str = DBOS.retrieve_workflow(saga).get_result()
        return end


class Stages:
    """The engine in an event loop, as the load sees it."""

    async def run(self, saga: str, fail: str) -> str:
        """Run a workflow."""
        with SetWorkflowID(saga):
            return await stages(saga, fail)

    async def begin(self, saga: str) -> None:
        """Start a workflow."""
        with SetWorkflowID(saga):
            await DBOS.start_workflow_async(stages, saga, "")

    async def finish(self, saga: str) -> str:
        """Wait for a workflow's result."""
        handle: Any = await DBOS.retrieve_workflow_async(saga)
        end: str = await handle.get_result()
        return end


async def serve_stages() -> None:
    """Launch within the loop that the workflows run in."""
    DBOS.launch()
    await load.serve_tasks(Stages())


if __name__ == "__main__":
    url = f"sqlite:///{Path(sys.argv[1]) / 'dbos.sqlite'}"
    DBOS(config=DBOSConfig(name="sagas", system_database_url=url, log_level="ERROR", application_version="1"))
    if sys.argv[2] == "stages":
        asyncio.run(serve_stages())
    else:
        DBOS.launch()
        load.serve_threads(Sequential())
