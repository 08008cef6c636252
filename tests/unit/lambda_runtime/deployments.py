"""Functions deployed in memory: the fake of the port through which the runtime reads real ones."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace

from local.lambda_runtime.errors import FunctionNotFound
from local.lambda_runtime.functions import CodeArchive, DeployedFunction, RoutedVersion
from local.lambda_runtime.reference import LATEST, FunctionReference

HANDLERS = """
import os, subprocess, sys, time

def echo(event, context):
    return event

def environment(event, context):
    return {name: os.environ.get(name) for name in event}

def identity(event, context):
    return {"pid": os.getpid(), "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "arn": context.invoked_function_arn, "remaining": context.get_remaining_time_in_millis()}

def chatter(event, context):
    print("line one")
    print("x" * event.get("size", 0))
    print("last line", file=sys.stderr)

def fail(event, context):
    class RetryableError(Exception):
        pass
    raise RetryableError("try again")

def nap(event, context):
    if "started" in event:
        open(event["started"], "a").write(f"{os.getpid()}\\n")
    time.sleep(event["seconds"])
    return os.getpid()

def leave(event, context):
    os._exit(event["code"])

def leave_later(event, context):
    import threading
    threading.Timer(0.05, os._exit, [0]).start()
    return os.getpid()

def parent(event, context):
    child = subprocess.Popen(["sleep", "60"])
    open(event["started"], "a").write(f"{os.getpid()}\\n{child.pid}\\n")
    time.sleep(60)

def large(event, context):
    return "x" * event["size"]

def imports(event, context):
    import importlib
    return importlib.import_module(event["module"]).__file__
"""


def archive(files: Mapping[str, str]) -> CodeArchive:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, text in files.items():
            bundle.writestr(zipfile.ZipInfo(name), text)
    content = buffer.getvalue()
    return CodeArchive(hashlib.sha256(content).hexdigest(), lambda: content)


class DeploymentsInMemory:
    """A FunctionSource whose functions are what the test says they are."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], DeployedFunction] = {}
        self._aliases: dict[tuple[str, str], Sequence[tuple[str, float]]] = {}

    def deploy(self, name: str, handler: str = "app.echo", **changes: object) -> DeployedFunction:
        function = DeployedFunction(
            arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            version=LATEST,
            handler=handler,
            runtime="python3.11",
            timeout=5,
            memory=128,
            code=archive({"app.py": HANDLERS}),
        )
        function = replace(function, **changes)  # type: ignore[arg-type]
        self._versions[name, function.version] = function
        return function

    def alias(self, name: str, alias: str, shares: Sequence[tuple[str, float]]) -> None:
        self._aliases[name, alias] = shares

    def resolve(self, reference: FunctionReference) -> Sequence[RoutedVersion]:
        qualifier = reference.qualifier or LATEST
        shares = self._aliases.get((reference.name, qualifier), [(qualifier, 1.0)])
        try:
            return [RoutedVersion(self._versions[reference.name, version], share) for version, share in shares]
        except KeyError:
            raise FunctionNotFound(f"Function not found: {reference.name}") from None
