"""Costs in the local S3, as collections leave them: Parquet files that DuckDB wrote, and the Glue table over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import boto3
import duckdb
from botocore.config import Config

BUCKET: Final = "skysaga-costs"
DATABASE: Final = "skysaga"
TABLE: Final = "costs"
WORKGROUP: Final = "skysaga-costs"

COLUMNS: Final = {
    "BilledCost": "decimal(38,20)",
    "BillingAccountId": "string",
    "BillingCurrency": "string",
    "ChargeCategory": "string",
    "ChargePeriodEnd": "timestamp",
    "ChargePeriodStart": "timestamp",
    "ContractedCost": "decimal(38,20)",
    "EffectiveCost": "decimal(38,20)",
    "ListCost": "decimal(38,20)",
    "ProviderName": "string",
    "RegionId": "string",
    "ServiceName": "string",
    "SubAccountId": "string",
    "Tags": "map<string,string>",
    "x_SagaId": "string",
    "x_SagaResourceId": "string",
    "x_Source": "string",
}

_TYPES: Final = {
    "decimal(38,20)": "DECIMAL(38, 20)",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
}


class Charge(NamedTuple):
    """One row; the list and the contracted cost are the billed one."""

    billed: str
    start: datetime
    currency: str = "USD"
    saga: str | None = None
    provider: str = "AWS"
    service: str = "Amazon EC2"
    account: str = "123456789012"
    region: str = "eu-west-1"
    tags: Mapping[str, str] = MappingProxyType({})
    effective: str | None = None


def client(service: str, url: str) -> Any:
    """A client of the account behind an endpoint, which asks once."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def make_table(url: str) -> None:
    """The bucket, the workgroup and the Glue table that the deployment makes."""
    client("s3", url).create_bucket(Bucket=BUCKET)
    client("athena", url).create_work_group(
        Name=WORKGROUP,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}},
    )
    glue = client("glue", url)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    columns = [{"Name": name.lower(), "Type": kind} for name, kind in COLUMNS.items()]
    keys = [{"Name": name, "Type": "string"} for name in ("source", "billing_period")]
    table: Any = {
        "Name": TABLE,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {"Columns": columns, "Location": f"s3://{BUCKET}/costs/"},
        "PartitionKeys": keys,
    }
    glue.create_table(DatabaseName=DATABASE, TableInput=table)


def put_window(
    url: str, folder: Path, source: str, start: datetime, charges: Sequence[Charge], month: str | None = None
) -> None:
    """One window's file, in place of whatever was there."""
    path = folder / "window.parquet"
    write_parquet(path, [_values(it, source) for it in charges])
    key = f"costs/source={source}/billing_period={month or f'{start:%Y-%m}'}/{start:%Y-%m-%dT%H}.parquet"
    client("s3", url).put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


def write_parquet(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Rows of COLUMNS in a file."""
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in COLUMNS.items())
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute(f"CREATE TABLE rows ({columns})")
        for row in rows:
            connection.execute(f"INSERT INTO rows VALUES ({marks})", list(row))  # noqa: S608
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet)")


def _values(charge: Charge, source: str) -> list[Any]:
    billed = Decimal(charge.billed)
    values = {
        "BilledCost": billed,
        "BillingAccountId": "999999999999",
        "BillingCurrency": charge.currency,
        "ChargeCategory": "Usage",
        "ChargePeriodEnd": (charge.start + timedelta(hours=1)).replace(tzinfo=None),
        "ChargePeriodStart": charge.start.replace(tzinfo=None),
        "ContractedCost": billed,
        "EffectiveCost": Decimal(charge.effective or charge.billed),
        "ListCost": billed,
        "ProviderName": charge.provider,
        "RegionId": charge.region,
        "ServiceName": charge.service,
        "SubAccountId": charge.account,
        "Tags": dict(charge.tags),
        "x_SagaId": charge.saga,
        "x_SagaResourceId": None,
        "x_Source": source,
    }
    return [values[name] for name in COLUMNS]
