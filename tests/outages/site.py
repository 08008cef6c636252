"""skysaga deployed on a machine whose engine and Lambda runtime are processes of their own.

What on AWS is somebody else's lives on in this process: DynamoDB, queues, the API's front, the clouds. The agents of a
private cluster are processes of their own.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from lambdas.adapters.clusters import CLUSTERS
from local.assembly import STATE, synthesize
from local.aws.clients import create_client
from local.elsewhere import Elsewhere
from local.lambda_runtime.handover import hand_over
from local.machine import REGION, Machine, Ports
from local.private_clouds import DECLARED
from tests.e2e.private import EVERYBODY, put_grants
from tests.outages.agents import Agents
from tests.outages.service import Service, free_ports

_CLUSTERS: Final = {name for cloud in DECLARED.values() for name in cloud["clusters"]}
_REPORT_WITHIN: Final = 120.0
_HIDDEN_SECONDS: Final = "15"


class Site:
    """Deployed and running until `close`; `folder` takes the journal and what is logged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        engine_port, runtime_port = free_ports(2)
        self.engine = Service(engine_port, folder / "engine.log")
        self.runtime = Service(runtime_port, folder / "runtime.log")
        self._running = ExitStack()
        self.machine = Machine(Ports(), Elsewhere(self.engine.url, self.runtime.url), folder)
        try:
            aws = self.machine.aws
            journal = str(folder / "journal")
            endpoints = ("--lambda-endpoint", aws, "--aws-endpoint", aws)
            self.engine.start("local.stepfunctions", *endpoints, "--data", journal)
            self.endpoints = self.machine.deploy(synthesize())
            functions = folder / "functions.json"
            hand_over(functions, self.machine.functions, _names(aws), self.machine.environment, STATE)
            places = ("--functions", str(functions), "--cache", str(STATE), "--logs", str(folder / "logs"))
            self.runtime.start("local.lambda_runtime", *places)
            self._begin_on_clusters(aws)
        except BaseException:
            self.close()
            raise

    def _begin_on_clusters(self, aws: str) -> None:
        """Have every private cluster worked on and reported on before the first saga wants to be placed."""
        put_grants(aws, [EVERYBODY])
        _show_again_soon(aws)
        self.agents = Agents(aws, self.folder / "agents.log")
        self._running.callback(self.agents.close)
        self.machine.report_clusters()
        table: Any = create_client("dynamodb", aws, REGION)
        deadline = time.monotonic() + _REPORT_WITHIN
        while (reported := _reported(table)) != _CLUSTERS:
            assert time.monotonic() < deadline, f"only {sorted(reported)} reported"
            time.sleep(0.2)

    def executions(self) -> dict[str, str]:
        """The status of every execution by its name, as the engine that runs now tells it."""
        client: Any = create_client("stepfunctions", self.engine.url, REGION)
        machines = [it["stateMachineArn"] for it in client.list_state_machines()["stateMachines"]]
        pages = [
            page for arn in machines for page in client.get_paginator("list_executions").paginate(stateMachineArn=arn)
        ]
        return {it["name"]: it["status"] for page in pages for it in page["executions"]}

    def calls_cut_short(self) -> int:
        """How many calls ended because their worker was killed, as the functions' logs tell."""
        logs = (self.folder / "logs").glob("*.log")
        return sum(log.read_text(errors="replace").count("signal: killed") for log in logs)

    def close(self) -> None:
        """End everything."""
        self._running.close()
        self.runtime.close()
        self.engine.close()
        self.machine.close()


def _show_again_soon(aws: str) -> None:
    """Have queues show what a dead function had in hand after a while that a test can wait for.

    A queue's own attribute, as any operator may set it. What takes a function longer is worked on twice meanwhile.
    """
    queues: Any = create_client("sqs", aws, REGION)
    for url in queues.list_queues(QueueNamePrefix="skysaga-cluster-").get("QueueUrls", []):
        queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": _HIDDEN_SECONDS})


def _reported(dynamodb: Any) -> set[str]:
    (table,) = (it for it in dynamodb.list_tables()["TableNames"] if "edger" in it)
    key = {":pk": {"S": CLUSTERS}}
    found = dynamodb.query(TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=key)
    return {it["sk"]["S"] for it in found["Items"]}


def _names(endpoint: str) -> list[str]:
    """Every function, each of its versions and each of its aliases."""
    client: Any = create_client("lambda", endpoint, REGION)
    names: list[str] = []
    for function in client.list_functions()["Functions"]:
        name = function["FunctionName"]
        versions = client.list_versions_by_function(FunctionName=name)["Versions"]
        aliases = client.list_aliases(FunctionName=name)["Aliases"]
        names += [name, *(f"{name}:{it['Version']}" for it in versions), *(f"{name}:{it['Name']}" for it in aliases)]
    return names
