"""Pages are kept as they came: values as text to the last digit, exported files to the byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.staging import S3Staging, write_rows
from lambdas.core.errors import RetryableError
from lambdas.core.ports.costs import ExportedFile, Rows

KEY = "staging/source=production/r1/run-000017."


class FakeBucket:
    """Takes objects, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self._error = error

    def upload_fileobj(self, file: Any, bucket: str, key: str) -> None:
        if self._error:
            raise self._error
        self.objects[key] = file.read()


def put(content: Any, bucket: FakeBucket) -> dict[str, bytes]:
    S3Staging(bucket, "skysaga-costs").put("production", "r1", "run", 17, content)
    return bucket.objects


def lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def test_rows_are_lines_of_text_without_what_has_no_value() -> None:
    berlin = timezone(timedelta(hours=1))
    row: dict[str, Any] = {
        "BilledCost": Decimal("1E-20"),
        "ChargePeriodStart": datetime(2026, 11, 20, 10, tzinfo=berlin),
        "RegionId": None,
        "ServiceName": "Müller\nCloud",
        "Tags": {"team": "a"},
    }
    assert lines(put(Rows([row, {}]), FakeBucket())[f"{KEY}jsonl.gz"]) == [
        {
            "BilledCost": "0.00000000000000000001",
            "ChargePeriodStart": "2026-11-20T09:00:00+00:00",
            "ServiceName": "Müller\nCloud",
            "Tags": {"team": "a"},
        },
        {},
    ]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_keeps_every_digit(amount: Decimal) -> None:
    file = BytesIO()
    write_rows(file, [{"BilledCost": amount}])
    assert Decimal(lines(file.getvalue())[0]["BilledCost"]) == amount


def test_the_same_rows_are_the_same_bytes() -> None:
    rows = Rows([{"BilledCost": Decimal(1), "ChargePeriodStart": datetime(2026, 11, 20, tzinfo=UTC)}])
    assert put(rows, FakeBucket()) == put(rows, FakeBucket())


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_an_exported_file_is_kept_as_it_is(form: Any) -> None:
    assert put(ExportedFile(form, lambda: closing(BytesIO(b"bytes"))), FakeBucket()) == {f"{KEY}{form}": b"bytes"}


@pytest.mark.parametrize(
    "error",
    [
        S3UploadFailedError("m"),
        ClientError({"Error": {"Code": "SlowDown", "Message": "m"}}, "PutObject"),
        EndpointConnectionError(endpoint_url="https://s3"),
    ],
)
def test_what_s3_refuses_is_tried_again(error: Exception) -> None:
    with pytest.raises(RetryableError):
        put(Rows([]), FakeBucket(error))


def test_what_the_cloud_refuses_while_a_file_is_read_stays_what_it_is() -> None:
    opened: Callable[[], Any] = lambda: (_ for _ in ()).throw(ConnectionResetError)  # noqa: E731
    with pytest.raises(ConnectionResetError):
        put(ExportedFile("csv", opened), FakeBucket())
