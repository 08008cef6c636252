"""The environment variables of a worker, as "Defined runtime environment variables" in the Lambda guide lists them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from local.lambda_runtime.functions import DeployedFunction

PYTHON_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


TRACE_DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"
"""Where X-Ray's segments go, over UDP."""


def worker_environment(
    function: DeployedFunction,
    task_root: Path,
    layers: Sequence[Path],
    runtime_packages: Path,
    overrides: Mapping[str, str],
) -> dict[str, str]:
    """Return a worker's whole environment: as deployed, then Lambda's own variables, then `overrides` from outside.

    Nothing is inherited from this process, so no credential or setting of the person running it gets in.
    """
    search_path = [task_root, *_layer_packages(layers), runtime_packages]
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(runtime_packages.parent),
        "PATH": os.pathsep.join([*(str(layer / "bin") for layer in _last_first(layers)), os.defpath]),
        "LD_LIBRARY_PATH": os.pathsep.join(
            [*(str(layer / "lib") for layer in _last_first(layers)), str(task_root), str(task_root / "lib")]
        ),
        "PYTHONPATH": os.pathsep.join(map(str, search_path)),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        TRACE_DAEMON: "127.0.0.1:2000",
        **function.environment,
        **_reserved(function, task_root, runtime_packages),
        **overrides,
    }


def _reserved(function: DeployedFunction, task_root: Path, runtime_packages: Path) -> dict[str, str]:
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid4().hex}"
    reserved = {
        "_HANDLER": function.handler,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{PYTHON_RUNTIME}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group or f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(runtime_packages),
    }
    if function.log_format == "JSON":
        reserved["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
    return reserved


def _layer_packages(layers: Sequence[Path]) -> list[Path]:
    # /opt holds the layers merged, a later one over an earlier one: the last layer is searched first.
    return [
        directory
        for layer in _last_first(layers)
        for directory in (layer / "python" / "lib" / PYTHON_RUNTIME / "site-packages", layer / "python")
        if directory.is_dir()
    ]


def _last_first(layers: Sequence[Path]) -> list[Path]:
    return list(reversed(layers))
