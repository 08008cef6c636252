"""Restate: its server, the saga as a service on Node in TypeScript's SDK, a client at the ingress."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

from bench.peers.environments import NODE, node_environment
from bench.peers.running import EngineFailed, Running, free_ports, spawn

START_SECONDS = 60


class Restate:
    """`stages`: what all clouds do at the same time is asked for together; `branches`: a service call per cloud.

    Four partitions in place of 24, which suits two processors better; the rest as it comes.
    """

    name = "Restate"
    pins = ("@restatedev/restate-server@1.7.12", "@restatedev/restate-sdk@1.17.2")
    variants = ("stages", "branches")
    durable = "RocksDB's log, synced to the disk, one sync for what comes in meanwhile"

    def install(self) -> None:
        """Build its environment unless it is there."""
        node_environment("restate", self.pins)

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        """Start server, service and client."""
        home = node_environment("restate", self.pins)
        ingress, admin, node, service = _ports(directory)
        binary = home / "node_modules/@restatedev/restate-server-linux-x64/bin/restate-server"
        log = directory / "restate.log"
        settings = {
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
            "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
            "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
            "RESTATE_NODE_NAME": "bench",
            "RESTATE_BASE_DIR": str(directory / "restate"),
            "RESTATE_LOG_FILTER": "error",
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_DEFAULT_NUM_PARTITIONS": "4",
        }
        server = spawn([binary, "--no-logo"], log, settings)
        app = spawn([NODE, "restate_service.mjs"], log, {"PORT": str(service), "SLOW": str(slow)}, folder=home)
        engine = (server, app)
        try:
            _register(admin, service)
        except EngineFailed:
            for process in engine:
                process.kill()
            raise
        client = [NODE, "restate_client.mjs", f"http://127.0.0.1:{ingress}", variant]
        return Running(spawn(client, log, {}, folder=home, orders=True), engine)


def _ports(directory: Path) -> list[int]:
    """The same ports for the same data: what was begun is bound to where its service was."""
    kept = directory / "ports.json"
    if not kept.exists():
        kept.write_text(json.dumps(free_ports(4)))
    ports: list[int] = json.loads(kept.read_text())
    return ports


def _register(admin: int, service: int) -> None:
    """Tell the server where the services are, once both are there."""
    body = json.dumps({"uri": f"http://127.0.0.1:{service}", "force": True})
    until = time.monotonic() + START_SECONDS
    while (refusal := _refused(admin, body)) is not None:
        if time.monotonic() > until:
            raise EngineFailed(f"the server takes no service: {refusal}")
        time.sleep(0.1)


def _refused(admin: int, body: str) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=5)
    try:
        connection.request("POST", "/deployments", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return None if answer.status < 300 else f"{answer.status} {answer.read().decode()}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
