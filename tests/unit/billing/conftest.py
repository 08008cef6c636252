"""A bucket, and what is needed to put pages into it and windows out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from moto import mock_aws

from lambdas.adapters.staging import S3Staging
from lambdas.billing.cost_files import ArrangedRows, Limits, S3CostFiles
from lambdas.core.billing.sources import AnySource, BigQueryExport, DataExport
from lambdas.core.billing.windows import Read, Segment
from lambdas.core.ports.costs import ExportedFile, Rows
from tests.fakes.clock import FakeClock

BUCKET = "skysaga-costs"
SOURCE = DataExport(
    name="production", since=datetime(2026, 11, 1, tzinfo=UTC), account="123456789012", bucket="b", export="e"
)
GOOGLE = BigQueryExport(name="production", since=datetime(2026, 11, 1, tzinfo=UTC), project="p", table="p.d.t")


class Costs:
    """Costs in a bucket that is made for a test."""

    def __init__(self, client: Any, folder: Path) -> None:
        self.client = client
        self.staging = S3Staging(client, BUCKET)
        self.files = S3CostFiles(client, BUCKET, FakeClock(), Limits(folder=folder))
        self.folder = folder

    def stage(self, *pages: ExportedFile | list[Any], read: str = "r1", run: str = "run") -> Read:
        """A read of November whose pages these are."""
        for number, page in enumerate(pages):
            content = Rows(page) if isinstance(page, list) else page
            self.staging.put("production", read, run, number, content)
        return november(read, Segment(run=run, first=0, count=len(pages)))

    def arranged(self, *pages: Any, source: AnySource = SOURCE) -> AbstractContextManager[ArrangedRows]:
        """The rows of pages."""
        return self.files.arrange(source, self.stage(*pages))

    def query(self, key: str, query: str) -> list[tuple[Any, ...]]:
        """What a query answers about a file, which is `file` in it."""
        path = self.folder / "read.parquet"
        self.client.download_file(BUCKET, key, str(path))
        with duckdb.connect() as connection:
            return connection.execute(query.replace("file", f"'{path}'")).fetchall()


def november(read: str, *segments: Segment) -> Read:
    """A read of the whole month."""
    return Read(
        id=read,
        start=datetime(2026, 11, 1, tzinfo=UTC),
        end=datetime(2026, 12, 1, tzinfo=UTC),
        begun_at=datetime(2026, 11, 22, tzinfo=UTC),
        segments=segments,
        complete=True,
    )


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Costs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield Costs(client, tmp_path)


@pytest.fixture(scope="module")
def costs_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Costs]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with mock_aws():
            client = boto3.client("s3", region_name="us-east-1")
            client.create_bucket(Bucket=BUCKET)
            yield Costs(client, tmp_path_factory.mktemp("costs"))
