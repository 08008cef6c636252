"""BigQuery on this machine, as far as the reading of a billing export goes: its one query, and the pages of the result.

It answers from a bill, and knows the query by its parameters; that the SQL says the same is tested elsewhere.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from werkzeug.wrappers import Request, Response

from local.clock import Clock
from local.simulators.bill import Bill
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp.billing_export import begins, document
from local.simulators.gcp.errors import ApiError, invalid, login_required, rate_limited, unavailable
from local.simulators.simulator import Simulator

_PROJECT: Final = r"/bigquery/v2/projects/(?P<project>[^/]+)"
_TABLE: Final = rf"{_PROJECT}/datasets/(?P<dataset>[^/]+)/tables/(?P<table>[^/]+)"

_ROUTES: Final = [
    (method, re.compile(pattern), operation)
    for method, pattern, operation in (
        ("POST", f"{_PROJECT}/jobs", "jobs.insert"),
        ("GET", f"{_PROJECT}/jobs/(?P<job>[^/]+)", "jobs.get"),
        ("GET", f"{_PROJECT}/queries/(?P<job>[^/]+)", "jobs.getQueryResults"),
        ("GET", _TABLE, "tables.get"),
        ("GET", f"{_TABLE}/data", "tabledata.list"),
        ("POST", "/_token", "oauth2.token"),
    )
]
"""https://cloud.google.com/bigquery/docs/reference/rest"""

_RESULTS: Final = "_results"
"""The dataset of results; the real one has a name that nobody knows beforehand."""

_SCHEMA: Final = {"fields": [{"name": "charge", "type": "STRING", "mode": "NULLABLE"}]}


@dataclass(frozen=True)
class BigQueryTiming:
    """How long a query runs, in seconds, how long its result is kept, and how many rows a page has at most."""

    query: float = 3.0
    results_kept: float = 24 * 3600.0
    page_rows: int = 10_000


class _Call(NamedTuple):
    operation: str
    parts: dict[str, str]


class _Job(NamedTuple):
    project: str
    id: str
    location: str
    configuration: dict[str, Any]
    rows: list[str]
    begun: float
    done: float
    error: dict[str, str] | None


class BigQuerySimulator(Simulator):
    """BigQuery v2 below `/bigquery/v2/`, with OAuth tokens at `/_token`.

    Every table is a billing export of the same bill, and every project may be asked for. A query that is to fail does
    so once it has run.
    """

    def __init__(
        self, clock: Clock, sleep: Callable[[float], None], bill: Bill, timing: BigQueryTiming | None = None
    ) -> None:
        super().__init__(clock, sleep)
        self._bill = bill
        self._timing = timing or BigQueryTiming()
        self._jobs: dict[str, _Job] = {}
        self._asked_for: set[str] = set()

    def operation(self, request: Request) -> str:
        """The API's name for the method called, such as `jobs.insert`; `unknown` when it is none we know."""
        call = _match(request)
        return call.operation if call else "unknown"

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request as BigQuery would."""
        try:
            return Response(json.dumps(self._call(request, fault)), 200, content_type="application/json; charset=UTF-8")
        except ApiError as error:
            return error.response()

    def throttled(self, request: Request) -> Response:
        """429 rateLimitExceeded."""
        return rate_limited().response({"Retry-After": "7"})

    def unavailable(self, request: Request) -> Response:
        """503 backendError."""
        return unavailable().response()

    def quoting(self, body: str) -> Response:
        """400 invalid."""
        return invalid("configuration", body, "It is malformed.").response()

    def resources(self) -> list[dict[str, Any]]:
        """Nothing that is ours: a bill is no resource."""
        return []

    def _call(self, request: Request, fault: Fault | None) -> dict[str, Any]:
        call = _match(request)
        if call is None:
            raise ApiError(404, "notFound", f"The requested URL {request.path} was not found on this server.")
        if call.operation == "oauth2.token":
            return {"access_token": f"local-{uuid.uuid4()}", "expires_in": 3600, "token_type": "Bearer"}
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            raise login_required()
        match call.operation:
            case "jobs.insert":
                return self._resource(self._insert(call.parts["project"], json.loads(request.get_data()), fault))
            case "jobs.get":
                return self._resource(self._job(call.parts["job"]))
            case "jobs.getQueryResults":
                return self._query_results(self._job(call.parts["job"]), request)
            case "tables.get":
                return self._export(call.parts)
            case _:
                return {"kind": "bigquery#tableDataList", **self._page(self._job(call.parts["table"]), request)}

    def _insert(self, project: str, body: dict[str, Any], fault: Fault | None) -> _Job:
        now = self.clock.now()
        asked = _parameters(body)
        reference = body.get("jobReference", {})
        known_at = now - fault.delay if fault and fault.fault is FaultKind.STALE else now
        failed = fault is not None and fault.fault is FaultKind.FAIL
        job = _Job(
            project,
            reference.get("jobId") or f"job_{uuid.uuid4().hex}",
            reference.get("location") or "US",
            body["configuration"],
            self._rows(asked, known_at),
            now,
            now + self._timing.query,
            {"reason": "backendError", "message": "The job encountered an error"} if failed else None,
        )
        if job.id in self._jobs:
            raise ApiError(409, "duplicate", f"Already Exists: Job {job.id}")
        self._jobs[job.id] = job
        self._asked_for.add(asked["project"])
        return job

    def _rows(self, asked: dict[str, str], known_at: float) -> list[str]:
        """What was known, and begins in the span."""
        first, beyond = _moment(asked["first"]), _moment(asked["beyond"])
        known = self._bill.known(asked["project"], datetime.fromtimestamp(known_at, UTC))
        return [document(it) for it in known if first <= begins(it) < beyond]

    def _job(self, job_id: str) -> _Job:
        if job_id not in self._jobs:
            raise ApiError(404, "notFound", f"Not found: {job_id}")
        return self._jobs[job_id]

    def _resource(self, job: _Job) -> dict[str, Any]:
        done = self.clock.now() >= job.done
        table = {"projectId": job.project, "datasetId": _RESULTS, "tableId": job.id}
        query = {**job.configuration["query"], "destinationTable": table}
        error = {"errorResult": job.error, "errors": [job.error]} if done and job.error else {}
        return {
            "kind": "bigquery#job",
            "id": f"{job.project}:{job.location}.{job.id}",
            "jobReference": {"projectId": job.project, "jobId": job.id, "location": job.location},
            "configuration": {**job.configuration, "jobType": "QUERY", "query": query},
            "status": {"state": "DONE" if done else "RUNNING", **error},
            "statistics": {"creationTime": str(int(job.begun * 1000)), "query": {"statementType": "SELECT"}},
        }

    def _query_results(self, job: _Job, request: Request) -> dict[str, Any]:
        complete = self.clock.now() >= job.done
        reference = {"projectId": job.project, "jobId": job.id, "location": job.location}
        page = {**self._page(job, request), "schema": _SCHEMA} if complete else {}
        return {"kind": "bigquery#getQueryResultsResponse", "jobReference": reference, "jobComplete": complete, **page}

    def _page(self, job: _Job, request: Request) -> dict[str, Any]:
        if not job.done <= self.clock.now() < job.done + self._timing.results_kept:
            raise ApiError(404, "notFound", f"Not found: Table {job.project}:{_RESULTS}.{job.id}")
        first = _first(request)
        beyond = first + min(self._timing.page_rows, int(request.args.get("maxResults", self._timing.page_rows)))
        rows = [{"f": [{"v": row}]} for row in job.rows[first:beyond]]
        more = {"pageToken": f"from-{beyond}"} if beyond < len(job.rows) else {}
        return {"totalRows": str(len(job.rows)), "rows": rows, **more}

    def _export(self, parts: dict[str, str]) -> dict[str, Any]:
        """The table of the export; as far as it can be told, it was written to when a bill that was read changed."""
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        changes = [self._bill.changed_at(project, now) for project in self._asked_for]
        modified = max((it for it in changes if it), default=now)
        reference = {"projectId": parts["project"], "datasetId": parts["dataset"], "tableId": parts["table"]}
        milliseconds = str(int(modified.timestamp() * 1000))
        return {
            "kind": "bigquery#table",
            "type": "TABLE",
            "tableReference": reference,
            "lastModifiedTime": milliseconds,
        }


def _match(request: Request) -> _Call | None:
    for method, pattern, operation in _ROUTES:
        if method == request.method and (found := pattern.fullmatch(request.path)):
            return _Call(operation, found.groupdict())
    return None


def _parameters(body: dict[str, Any]) -> dict[str, str]:
    """The query's parameters by name, as the API has them; whatever else is asked is refused."""
    query = body.get("configuration", {}).get("query", {})
    given = {it["name"]: it["parameterValue"].get("value", "") for it in query.get("queryParameters", [])}
    if not {"project", "first", "beyond"} <= set(given) or query.get("useLegacySql"):
        raise ApiError(400, "invalidQuery", "This BigQuery knows the query of a billing export only")
    return given


def _moment(text: str) -> datetime:
    """A TIMESTAMP as the client spells it."""
    return datetime.fromisoformat(text.replace(" UTC", "+00:00").replace("Z", "+00:00"))


def _first(request: Request) -> int:
    token = request.args.get("pageToken")
    if token is None:
        return int(request.args.get("startIndex", 0))
    if not re.fullmatch(r"from-\d+", token):
        raise ApiError(400, "invalid", f"Invalid page token: {token}")
    return int(token.removeprefix("from-"))
