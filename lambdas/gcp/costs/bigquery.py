"""Google's billing export, read by one query for a span.

A query's result is a table of its own that nothing changes and that BigQuery drops after 24 hours: a read goes through
it page by page and sees one moment, whatever is exported meanwhile. Running is waited for outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, Final

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound
from google.auth.credentials import Credentials
from google.cloud.bigquery import Client, QueryJobConfig, ScalarQueryParameter, SchemaField
from google.cloud.bigquery.table import TableReference
from pydantic import BaseModel, ConfigDict, ValidationError

from lambdas.core.billing.sources import BigQueryExport
from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, Throttled
from lambdas.core.ports.costs import Page, Row, Rows, Unchanged
from lambdas.core.targets import GcpTarget
from lambdas.gcp.costs.errors import failed_job, translated
from lambdas.gcp.costs.export import focus_rows
from lambdas.gcp.credentials import target_credentials
from lambdas.gcp.settings import GcpSettings

SCOPES: Final = ("https://www.googleapis.com/auth/bigquery",)

PAGE_ROWS: Final = 4_000
"""At most; BigQuery ends a page at about 10 MB."""

POLL_SECONDS: Final = 2.0
"""How long to leave a running query alone; it takes some seconds for a week."""

EXPORTED_BEFORE: Final = timedelta(days=7)
"""A row is exported after its usage began, mostly hours later; what is paid in advance may be exported before.

A partition is a day of exporting, in Pacific time by what is seen in public (project-koku/koku#2622, nise#399).
"""

CLOCKS_APART: Final = timedelta(minutes=10)
"""By how much our clock and Google's may differ at most for us to believe that nothing has changed."""

# A row belongs to the window in which its usage begins, or to the first of its invoice's month where that is later.
# The table is partitioned by the day of the export, and nothing of the span was exported before it, so that the older
# partitions need not be read, nor paid for; what has just arrived is in none yet. Columns differ between the standard
# and the detailed export and over time, so each row comes as a document, which spells amounts as BigQuery prints them.
QUERY: Final = """
SELECT TO_JSON_STRING(charge) AS charge
FROM (
  SELECT
    charge,
    GREATEST(
      charge.usage_start_time,
      IFNULL(TIMESTAMP(PARSE_DATE('%Y%m', charge.invoice.month), @timezone), charge.usage_start_time)
    ) AS begins
  FROM `{table}` AS charge
  WHERE (_PARTITIONTIME >= @exported_since OR _PARTITIONTIME IS NULL) AND IFNULL(charge.project.id, '') = @project
)
WHERE begins >= @first AND begins < @beyond
"""

_NO_RETRY: Final[Any] = None
"""The client would retry for ten minutes; the waits are ours, and can be seen."""

_COLUMNS: Final = (SchemaField("charge", "STRING"),)


class _Cursor(BaseModel):
    """The query that was begun, and once it is done, its result and the page that comes next."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    job: str
    table: str = ""
    token: str | None = None


class BigQueryCosts:
    """What a project costs, by the billing export of its billing account; a CostSource.

    A source without a project is what is billed to none: support, taxes.
    """

    def __init__(
        self, source: BigQueryExport, settings: GcpSettings, target: GcpTarget | None, page_rows: int = PAGE_ROWS
    ) -> None:
        self._source = source
        self._settings = settings
        self._target = target
        self._page_rows = page_rows
        self._patience: Any = (settings.connect_timeout, settings.read_timeout)

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """One page; the first and each as long as the query is running is empty, or Throttled says when to look."""
        with translated():
            if cursor is None:
                return Unchanged() if unless and self._is_as_it_was(unless) else self._begin(span)
            at = _parsed(cursor)
            if not at.table:
                at = at.model_copy(update={"table": self._result_of(at.job)})
            return self._read(at)

    def _begin(self, span: Span) -> Page:
        job = self._client.query(
            QUERY.format(table=self._source.table.replace("`", "")),
            job_config=self._job_config(span),
            job_retry=_NO_RETRY,
            retry=_NO_RETRY,
            timeout=self._patience,
        )
        return Page(Rows([]), _Cursor(job=job.job_id).model_dump_json(exclude_defaults=True))

    def _job_config(self, span: Span) -> QueryJobConfig:
        calendar = self._source.calendar
        return QueryJobConfig(
            labels={"skysaga-source": self._source.name},
            query_parameters=[
                ScalarQueryParameter("project", "STRING", self._source.project),
                ScalarQueryParameter("timezone", "STRING", calendar.timezone),
                ScalarQueryParameter("first", "TIMESTAMP", span.start),
                ScalarQueryParameter("beyond", "TIMESTAMP", span.end),
                ScalarQueryParameter("exported_since", "TIMESTAMP", span.start - EXPORTED_BEFORE),
            ],
        )

    def _result_of(self, job_id: str) -> str:
        """The table that holds the result of a query; raises Throttled while it runs, and CursorExpired."""
        try:
            job: Any = self._client.get_job(job_id, retry=_NO_RETRY, timeout=self._patience)
        except NotFound as error:
            raise CursorExpired("BigQuery does not know the query any more") from error
        if job.state != "DONE":
            raise Throttled("JobRunning", "the query is still running", POLL_SECONDS)
        if job.error_result:
            raise failed_job(job.error_result)
        table = job.destination
        return f"{table.project}.{table.dataset_id}.{table.table_id}"

    def _read(self, at: _Cursor) -> Page:
        rows = self._client.list_rows(
            TableReference.from_string(at.table),
            selected_fields=_COLUMNS,
            page_token=at.token,
            page_size=self._page_rows,
            retry=_NO_RETRY,
            timeout=self._patience,
        )
        try:
            found = list(_of_first_page(rows, self._source))
        except NotFound as error:
            raise CursorExpired("BigQuery has dropped the query's result") from error
        token = rows.next_page_token
        following = at.model_copy(update={"token": token}).model_dump_json(exclude_defaults=True) if token else None
        return Page(Rows(found), following)

    def _is_as_it_was(self, moment: datetime) -> bool:
        """Whether the export has not been written to since then; a view says when it was defined, and nothing else."""
        table = self._client.get_table(self._source.table, retry=_NO_RETRY, timeout=self._patience)
        modified: datetime | None = table.modified
        return table.table_type == "TABLE" and modified is not None and modified < moment - CLOCKS_APART

    @cached_property
    def _client(self) -> Client:
        credentials: Credentials = target_credentials(self._settings, self._target, SCOPES)
        return Client(
            project=self._target.project if self._target else self._settings.project,
            credentials=credentials,
            location=self._source.location,
            client_options=ClientOptions(
                api_endpoint=self._settings.bigquery_endpoint, universe_domain=credentials.universe_domain
            ),
        )


def _of_first_page(rows: Any, source: BigQueryExport) -> Iterator[Row]:
    calendar = source.calendar
    for page in islice(rows.pages, 1):
        for row in page:
            yield from focus_rows(row["charge"], calendar)


def _parsed(cursor: str) -> _Cursor:
    try:
        return _Cursor.model_validate_json(cursor)
    except ValidationError as error:
        raise CursorExpired("the cursor is none of this source's") from error
