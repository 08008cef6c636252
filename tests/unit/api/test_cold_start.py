"""What the API loads before anybody asks for costs."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import lambdas.api.handler
loaded = {name for name in sys.modules if name.partition(".")[0] in ("duckdb", "_duckdb", "pyarrow", "numpy")}
print(sorted(loaded), any(name.startswith("botocore.data") for name in sys.modules))
from lambdas.adapters import clients
print("boto3" in sys.modules, clients.session.cache_info().currsize)
"""


def test_nothing_that_only_costs_need_is_loaded_and_no_client_is_made() -> None:
    environment = {
        "WINDOWS_TABLE": "skysaga-windows",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "POWERTOOLS_SERVICE_NAME": "x",
    }
    found = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, env=environment
    )
    assert found.stdout.splitlines() == ["[] False", "False 0"]
