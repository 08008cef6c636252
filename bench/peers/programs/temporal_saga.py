"""The saga as a Temporal workflow, its worker and its client.

    python temporal_saga.py SERVER local|server

`local` runs activities as local activities, in the workflow's own worker without a hop over the server.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import load
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import activities

QUEUE = "sagas"
ONCE = RetryPolicy(maximum_attempts=1)
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=20)
LIMIT = timedelta(seconds=10)


@activity.defn
async def record_intent(saga: str, cloud: str) -> dict[str, Any]:
    """The activity of that name."""
    return activities.record_intent(saga, cloud)


@activity.defn
async def create(saga: str, cloud: str, fail: str) -> dict[str, Any]:
    """The activity of that name."""
    return activities.create(saga, cloud, fail)


@activity.defn
async def describe(cloud: str, id: str, n: int) -> dict[str, Any]:
    """The activity of that name."""
    if activities.SLOW:
        await asyncio.sleep(activities.SLOW)
    return activities.polled(cloud, id, n)


@activity.defn
async def commit(saga: str) -> dict[str, Any]:
    """The activity of that name."""
    return activities.commit(saga)


@activity.defn
async def delete(saga: str, cloud: str) -> dict[str, Any]:
    """The activity of that name."""
    return activities.delete(saga, cloud)


@activity.defn
async def abort(saga: str) -> dict[str, Any]:
    """The activity of that name."""
    return activities.abort(saga)


ACTIVITIES = [record_intent, create, describe, commit, delete, abort]


@workflow.defn
class Provision:
    """The saga; every cloud is a branch of its own."""

    @workflow.run
    async def run(self, saga: str, fail: str, local: bool) -> str:
        """Provision three clouds, or none."""
        self._local = local
        ready = await asyncio.gather(*(self._branch(saga, cloud, fail) for cloud in activities.CLOUDS))
        if all(ready):
            await self._do(commit, saga)
            return "COMMITTED"
        for cloud, is_ready in reversed(list(zip(activities.CLOUDS, ready, strict=True))):
            if is_ready:
                await self._do(delete, saga, cloud)
        await self._do(abort, saga)
        return "ROLLED_BACK"

    async def _branch(self, saga: str, cloud: str, fail: str) -> bool:
        await self._do(record_intent, saga, cloud)
        try:
            created = await self._do(create, saga, cloud, fail, retry=ONCE)
        except FailureError:
            return False
        answer = {"ready": False, "n": 0}
        while not answer["ready"]:
            answer = await self._do(describe, cloud, created["id"], answer["n"])
        return True

    async def _do(self, action: Any, *arguments: Any, retry: RetryPolicy = AGAIN) -> Any:
        execute = workflow.execute_local_activity if self._local else workflow.execute_activity
        return await execute(action, args=arguments, start_to_close_timeout=LIMIT, retry_policy=retry)


class Temporal:
    """The engine, as the load sees it."""

    def __init__(self, client: Client, local: bool) -> None:
        self._client = client
        self._local = local

    async def run(self, saga: str, fail: str) -> str:
        """Execute a workflow."""
        arguments = [saga, fail, self._local]
        end: str = await self._client.execute_workflow(Provision.run, args=arguments, id=saga, task_queue=QUEUE)
        return end

    async def begin(self, saga: str) -> None:
        """Start a workflow."""
        await self._client.start_workflow(Provision.run, args=[saga, "", self._local], id=saga, task_queue=QUEUE)

    async def finish(self, saga: str) -> str:
        """Wait for a workflow's result."""
        end: str = await self._client.get_workflow_handle(saga).result()
        return end


async def connected(server: str) -> Client:
    """A client, once the server is there."""
    for _ in range(600):
        try:
            return await Client.connect(server)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise TimeoutError(server)


async def main(server: str, kind: str) -> None:
    """Work and take orders."""
    client = await connected(server)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Provision],
        activities=ACTIVITIES,
        max_concurrent_activities=400,
        max_concurrent_local_activities=400,
        max_concurrent_workflow_tasks=100,
    ):
        await load.serve_tasks(Temporal(client, kind == "local"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
