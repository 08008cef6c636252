"""skysaga deployed on a machine whose engine and Lambda runtime are processes of their own.

What on AWS is somebody else's lives on in this process: DynamoDB, the API's front, the clouds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.assembly import STATE, synthesize
from local.aws.clients import create_client
from local.elsewhere import Elsewhere
from local.lambda_runtime.handover import hand_over
from local.machine import REGION, Machine, Ports
from tests.outages.service import Service, free_ports


class Site:
    """Deployed and running until `close`; `folder` takes the journal and what is logged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        engine_port, runtime_port = free_ports(2)
        self.engine = Service(engine_port, folder / "engine.log")
        self.runtime = Service(runtime_port, folder / "runtime.log")
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
        except BaseException:
            self.close()
            raise

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
        self.runtime.close()
        self.engine.close()
        self.machine.close()


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
