"""Every function that the templates name says what it does under the id of the saga, or window, that it is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.bundles import ROOT
from tests.infra.template import Template

SAGA = "s0mfq2zk41aaaaaa"
WORK = ".work"
"""Learns its saga from a message and needs a cluster: `tests/unit/worker/test_agent.py` reads what it logs."""

CALL = f"""
import importlib, json, sys
from types import SimpleNamespace
context = SimpleNamespace(function_name="f", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="r",
                          get_remaining_time_in_millis=lambda: 300000, function_version="1")
task = json.dumps({{"task": "create", "saga_id": "{SAGA}", "resource_id": "web", "token": "t"}})
event = {{"saga_id": "{SAGA}", "resource_id": "web", "routeKey": "GET /sagas/{{id}}", "rawPath": "/sagas/{SAGA}",
         "pathParameters": {{"id": "{SAGA}"}}, "headers": {{}}, "Records": [{{"messageId": "m", "body": task}}],
         "requestContext": {{"http": {{"method": "GET", "path": "/sagas/{SAGA}"}}, "stage": "$default"}}}}
for name in sys.argv[1:]:
    print("HANDLER " + name)
    module, _, function = name.rpartition(".")
    try:
        getattr(importlib.import_module(module), function)(event, context)
    except Exception as error:
        print("RAISED " + type(error).__name__)
"""


def handlers(assembly: Path) -> set[str]:
    templates = [Template(path) for path in assembly.glob("*.template.json")]
    found = {it["Handler"] for template in templates for it in template.functions().values()}
    return {it for it in found if not it.endswith(WORK)}


@pytest.fixture(name="said", scope="module")
def _said(assembly: Path) -> dict[str, list[dict[str, Any]]]:
    """What each handler prints when it is called about a saga, with nothing in its environment to work with."""
    environment = {
        "HOME": os.environ.get("HOME", "/"),
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "skysaga",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    names = sorted(handlers(assembly))
    command = [sys.executable, "-c", CALL, *names]
    answer = subprocess.run(  # noqa: S603 - our own interpreter and handlers
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for line in answer.stdout.splitlines():
        if line.startswith("HANDLER "):
            lines = found.setdefault(line.removeprefix("HANDLER "), [])
        elif line.startswith("{"):
            lines.append(json.loads(line))
    assert set(found) == set(names)
    return found


def test_every_handler_logs_under_the_sagas_id(said: dict[str, list[dict[str, Any]]]) -> None:
    for name, lines in said.items():
        assert SAGA in {it.get("correlation_id") for it in lines}, name


def test_every_handler_counts_for_the_service(said: dict[str, list[dict[str, Any]]]) -> None:
    for name, lines in said.items():
        counted = [it for it in lines if "_aws" in it]
        assert counted, name
        assert {it["service"] for it in counted} == {"skysaga"}, name
        assert {each["Namespace"] for it in counted for each in it["_aws"]["CloudWatchMetrics"]} == {"skysaga"}, name
