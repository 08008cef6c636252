"""Queries in threads, and what became of each."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from local.athena.dialect import column_info, datum
from local.athena.tables import Catalog
from local.clock import Clock

QUEUED: Final = "QUEUED"
RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
CANCELLED: Final = "CANCELLED"

Spawn = Callable[[Callable[[], None]], None]
"""Has something run, now or soon."""

_READING: Final = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)

_USER_ERROR: Final = 2
"""https://docs.aws.amazon.com/athena/latest/ug/error-reference.html"""
_SYNTAX: Final = 1006
_NO_TABLE: Final = 1301
_GENERIC: Final = 233


@dataclass
class Execution:
    """One query: what was asked, where it stands, and what it found, the header first."""

    request: Mapping[str, Any]
    submitted: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = QUEUED
    reason: str | None = None
    error: Mapping[str, Any] | None = None
    completed: float | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    connection: duckdb.DuckDBPyConnection | None = None


class Executions:
    """Runs each query in a thread of its own; what has ended stays as it is."""

    def __init__(
        self, catalog: Catalog, clock: Clock, spawn: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._spawn = spawn or _in_a_thread
        self._lock = threading.Lock()
        self._by_id: dict[str, Execution] = {}
        self._by_token: dict[str, Execution] = {}

    def start(self, request: Mapping[str, Any]) -> Execution | None:
        """Start a query, or find the one that was started under its token; None when that is of another request."""
        token = str(request.get("ClientRequestToken", ""))
        with self._lock:
            known = self._by_token.get(token) if token else None
            if known is not None:
                return known if known.request == request else None
            execution = Execution(request, self._clock.now())
            self._by_id[execution.id] = execution
            if token:
                self._by_token[token] = execution
        self._spawn(lambda: self._run(execution))
        return execution

    def get(self, execution_id: str) -> Execution | None:
        """A query by its id."""
        return self._by_id.get(execution_id)

    def stop(self, execution: Execution) -> None:
        """Cancel a query that has not ended."""
        self._end(execution, CANCELLED, "Query cancelled by user")
        if execution.connection is not None:
            execution.connection.interrupt()

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.state != QUEUED:
                return
            execution.state = RUNNING
        try:
            self._query(execution)
        except (duckdb.Error, ClientError, BotoCoreError, NotImplementedError, OSError) as error:
            reason, kind = _reason(error)
            described = {"ErrorCategory": _USER_ERROR, "ErrorType": kind, "Retryable": False, "ErrorMessage": reason}
            self._end(execution, FAILED, reason, described)
        else:
            self._end(execution, SUCCEEDED)

    def _query(self, execution: Execution) -> None:
        statement = execution.request["QueryString"]
        if not _READING.match(statement):
            raise duckdb.ParserException("only queries that begin with SELECT or WITH are answered here")
        database = execution.request.get("QueryExecutionContext", {}).get("Database", "")
        with self._catalog.connection(statement, database) as connection:
            execution.connection = connection
            found = connection.execute(statement)
            columns = [column_info(name, str(kind)) for name, kind, *_ in found.description or ()]
            rows = [{"Data": [datum(value) for value in row]} for row in found.fetchall()]
        execution.columns = columns
        execution.rows = [{"Data": [datum(it["Name"]) for it in columns]}, *rows]

    def _end(
        self, execution: Execution, state: str, reason: str | None = None, error: Mapping[str, Any] | None = None
    ) -> None:
        with self._lock:
            if execution.state in (QUEUED, RUNNING):
                execution.state, execution.reason, execution.error = state, reason, error
                execution.completed = self._clock.now()


def _in_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="athena-query", daemon=True).start()


def _reason(error: Exception) -> tuple[str, int]:
    """What Athena would call it, and the number that it gives to that."""
    text = str(error).strip()
    match error:
        case duckdb.ParserException():
            return f"SYNTAX_ERROR: {text}", _SYNTAX
        case duckdb.BinderException():
            return f"COLUMN_NOT_FOUND: {text}", _SYNTAX
        case duckdb.CatalogException():
            return f"TABLE_NOT_FOUND: {text}", _NO_TABLE
        case ClientError():
            return f"HIVE_CANNOT_OPEN_SPLIT: {text}", _GENERIC
        case duckdb.InvalidInputException() | duckdb.IOException():
            return f"HIVE_BAD_DATA: {text}", _GENERIC
        case _:
            return f"GENERIC_INTERNAL_ERROR: {text}", _GENERIC
