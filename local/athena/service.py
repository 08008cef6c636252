"""The API, in JSON, for the operations about queries.

https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from local.athena.executions import QUEUED, RUNNING, SUCCEEDED, Execution, Executions, Spawn
from local.athena.files import Files
from local.athena.tables import Catalog
from local.clock import Clock

TARGET: Final = "AmazonAthena."

MOST_ROWS: Final = 1000
_SHORTEST_TOKEN: Final = 32
_LONGEST_QUERY: Final = 262_144


class _Refused(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.document = {"__type": "InvalidRequestException", "Message": message}


class Athena:
    """Athena of one account in one region; `client` makes clients of its other services.

    What it fetches from S3 is gone after `close`.
    """

    def __init__(
        self,
        clock: Clock,
        client: Callable[[str], Any],
        spawn: Spawn | None = None,
    ) -> None:
        self._client = client
        self._folder = tempfile.TemporaryDirectory(prefix="skysaga-athena-", ignore_cleanup_errors=True)
        files = Files(client, Path(self._folder.name))
        self._executions = Executions(Catalog(client, files), clock, spawn)
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
        }

    def serves(self, target: str) -> bool:
        """Whether the operation that `X-Amz-Target` names is answered here."""
        return target.startswith(TARGET) and target.removeprefix(TARGET) in self._operations

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer an operation that is served; returns the HTTP status and a JSON body."""
        try:
            answer = self._operations[target.removeprefix(TARGET)](json.loads(body))
        except _Refused as refused:
            return 400, json.dumps(refused.document).encode()
        return 200, json.dumps(answer).encode()

    def close(self) -> None:
        """Forget every file."""
        self._folder.cleanup()

    def _start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        query = request.get("QueryString", "")
        if not query or len(query) > _LONGEST_QUERY:
            raise _Refused(f"QueryString must have from 1 to {_LONGEST_QUERY} characters")
        if 0 < len(request.get("ClientRequestToken", "")) < _SHORTEST_TOKEN:
            raise _Refused(f"ClientRequestToken must have at least {_SHORTEST_TOKEN} characters")
        if request.get("ExecutionParameters"):
            raise _Refused("execution parameters are not understood here")
        self._check_workgroup(request)
        execution = self._executions.start(request)
        if execution is None:
            raise _Refused("Idempotent parameters do not match")
        return {"QueryExecutionId": execution.id}

    def _check_workgroup(self, request: Mapping[str, Any]) -> None:
        name = request.get("WorkGroup", "primary")
        try:
            group = self._client("athena").get_work_group(WorkGroup=name).get("WorkGroup")
        except ClientError as error:
            raise _Refused(f"WorkGroup {name} is not found.") from error
        if not group:
            raise _Refused(f"WorkGroup {name} is not found.")
        if group.get("State") == "DISABLED":
            raise _Refused(f"WorkGroup {name} is disabled.")
        configured = group.get("Configuration", {}).get("ResultConfiguration", {}).get("OutputLocation")
        if not configured and not request.get("ResultConfiguration", {}).get("OutputLocation"):
            raise _Refused(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"QueryExecution": _described(self._known(request))}

    def _results(self, request: Mapping[str, Any]) -> dict[str, Any]:
        execution = self._known(request)
        if execution.state in (QUEUED, RUNNING):
            raise _Refused(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != SUCCEEDED:
            raise _Refused(f"Query did not finish successfully. Final query state: {execution.state}")
        most = request.get("MaxResults", MOST_ROWS)
        if not 1 <= most <= MOST_ROWS:
            raise _Refused(f"MaxResults must be from 1 to {MOST_ROWS}")
        start = _place(request.get("NextToken"), execution)
        page = execution.rows[start : start + most]
        end = start + len(page)
        return {
            "UpdateCount": 0,
            "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": execution.columns}},
            **({"NextToken": f"{execution.id}:{end}"} if end < len(execution.rows) else {}),
        }

    def _stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._executions.stop(self._known(request))
        return {}

    def _known(self, request: Mapping[str, Any]) -> Execution:
        name = request.get("QueryExecutionId", "")
        execution = self._executions.get(name)
        if execution is None:
            raise _Refused(f"QueryExecution {name} was not found")
        return execution


def _place(token: str | None, execution: Execution) -> int:
    if token is None:
        return 0
    name, _, number = token.rpartition(":")
    if name != execution.id or not number.isdigit():
        raise _Refused("NextToken is not valid")
    return int(number)


def _described(execution: Execution) -> dict[str, Any]:
    request = execution.request
    ended = {"CompletionDateTime": execution.completed} if execution.completed is not None else {}
    why = {"StateChangeReason": execution.reason} if execution.reason else {}
    error = {"AthenaError": execution.error} if execution.error else {}
    return {
        "QueryExecutionId": execution.id,
        "Query": request["QueryString"],
        "StatementType": "DML",
        "ResultReuseConfiguration": request.get("ResultReuseConfiguration", {}),
        "QueryExecutionContext": request.get("QueryExecutionContext", {}),
        "WorkGroup": request.get("WorkGroup", "primary"),
        "EngineVersion": {
            "SelectedEngineVersion": "Athena engine version 3",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
        "Status": {
            "State": execution.state,
            "SubmissionDateTime": execution.submitted,
            **ended,
            **why,
            **error,
        },
        "Statistics": {"ResultReuseInformation": {"ReusedPreviousResult": False}},
    }
