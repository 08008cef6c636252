"""Data Exports of the FOCUS table, as AWS delivers them into a bucket: files of a month, and then their manifest.

Columns and types are those of "FOCUS 1.2 with AWS columns" in the Data Exports user guide: costs and quantities are
doubles in Parquet, timestamps have milliseconds, tags are a map, which CSV holds as JSON.
"""

from __future__ import annotations

import csv
import gzip
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import duckdb

from local.simulators.bill import Bill, Charge

Format = Literal["csv.gz", "parquet"]

_TEXT: Final = "VARCHAR"
_NUMBER: Final = "DOUBLE"
_TIME: Final = "TIMESTAMP_MS"

COLUMNS: Final[Mapping[str, str]] = {
    "AvailabilityZone": _TEXT,
    "BilledCost": _NUMBER,
    "BillingAccountId": _TEXT,
    "BillingAccountName": _TEXT,
    "BillingAccountType": _TEXT,
    "BillingCurrency": _TEXT,
    "BillingPeriodEnd": _TIME,
    "BillingPeriodStart": _TIME,
    "CapacityReservationId": _TEXT,
    "CapacityReservationStatus": _TEXT,
    "ChargeCategory": _TEXT,
    "ChargeClass": _TEXT,
    "ChargeDescription": _TEXT,
    "ChargeFrequency": _TEXT,
    "ChargePeriodEnd": _TIME,
    "ChargePeriodStart": _TIME,
    "CommitmentDiscountCategory": _TEXT,
    "CommitmentDiscountId": _TEXT,
    "CommitmentDiscountName": _TEXT,
    "CommitmentDiscountQuantity": _NUMBER,
    "CommitmentDiscountStatus": _TEXT,
    "CommitmentDiscountType": _TEXT,
    "CommitmentDiscountUnit": _TEXT,
    "ConsumedQuantity": _NUMBER,
    "ConsumedUnit": _TEXT,
    "ContractedCost": _NUMBER,
    "ContractedUnitPrice": _NUMBER,
    "EffectiveCost": _NUMBER,
    "InvoiceId": _TEXT,
    "InvoiceIssuerName": _TEXT,
    "ListCost": _NUMBER,
    "ListUnitPrice": _NUMBER,
    "PricingCategory": _TEXT,
    "PricingCurrency": _TEXT,
    "PricingQuantity": _NUMBER,
    "PricingUnit": _TEXT,
    "ProviderName": _TEXT,
    "PublisherName": _TEXT,
    "RegionId": _TEXT,
    "RegionName": _TEXT,
    "ResourceId": _TEXT,
    "ResourceName": _TEXT,
    "ResourceType": _TEXT,
    "ServiceCategory": _TEXT,
    "ServiceName": _TEXT,
    "ServiceSubcategory": _TEXT,
    "SkuId": _TEXT,
    "SkuMeter": _TEXT,
    "SkuPriceDetails": _TEXT,
    "SkuPriceId": _TEXT,
    "SubAccountId": _TEXT,
    "SubAccountName": _TEXT,
    "SubAccountType": _TEXT,
    "Tags": "MAP(VARCHAR, VARCHAR)",
    "x_Discounts": "MAP(VARCHAR, DOUBLE)",
    "x_Operation": _TEXT,
    "x_ServiceCode": _TEXT,
    "x_UsageType": _TEXT,
}

_CATEGORIES: Final = {
    "usage": "Usage",
    "purchase": "Purchase",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "Adjustment",
}

_SERVICE_CATEGORIES: Final = {
    "Amazon Elastic Compute Cloud": ("Compute", "Virtual Machines"),
    "Amazon Elastic Block Store": ("Storage", "Block Storage"),
    "Amazon Simple Storage Service": ("Storage", "Object Storage"),
    "Amazon Virtual Private Cloud": ("Networking", "Other (Networking)"),
}


class FocusExport:
    """One export of an account's bill; `refresh` delivers what is known at a moment, as AWS does some times a day.

    With `overwrite` a delivery takes the place of the one before, otherwise it lies beside it.
    """

    def __init__(
        self,
        s3: Any,
        bill: Bill,
        account: str,
        bucket: str,
        export: str,
        prefix: str = "",
        format: Format = "parquet",
        rows_per_file: int = 1000,
        overwrite: bool = True,
    ) -> None:
        self._s3 = s3
        self._bill = bill
        self._account = account
        self._bucket = bucket
        self._export = export
        self._folder = f"{prefix}/{export}" if prefix else export
        self._format: Format = format
        self._rows_per_file = rows_per_file
        self._overwrite = overwrite

    def refresh(self, at: datetime, months: Sequence[str] = ()) -> None:
        """Deliver some months, or all that have charges, as they are known at a moment."""
        for month in months or sorted({it.billing_month for it in self._bill.known(self._account, at)}):
            self.finish(month, at, self.begin(month, at))

    def begin(self, month: str, at: datetime) -> list[str]:
        """Deliver a month's files, whose keys are returned, but no manifest yet: a delivery that is under way."""
        rows = [_row(it) for it in self._bill.known(self._account, at) if it.billing_month == month]
        run = "" if self._overwrite else f"{_execution(month, at)}/"
        keys = []
        for number, part in enumerate(_parts(rows, self._rows_per_file), start=1):
            ending = "snappy.parquet" if self._format == "parquet" else "csv.gz"
            key = f"{self._folder}/data/BILLING_PERIOD={month}/{run}{self._export}-{number:05}.{ending}"
            body = _parquet(part) if self._format == "parquet" else gzip.compress(_csv(part).encode())
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
            keys.append(key)
        return keys

    def finish(self, month: str, at: datetime, keys: Sequence[str]) -> None:
        """Deliver the manifest of files that are there."""
        start, end = _billing_period(month)
        manifest = {
            "exportName": self._export,
            "executionId": _execution(month, at),
            "billingPeriod": {"start": _time(start), "end": _time(end)},
            "columns": [{"name": name, "type": type_.lower()} for name, type_ in COLUMNS.items()],
            "dataFiles": [f"s3://{self._bucket}/{key}" for key in keys],
        }
        self._s3.put_object(
            Bucket=self._bucket,
            Key=f"{self._folder}/metadata/BILLING_PERIOD={month}/{self._export}-Manifest.json",
            Body=json.dumps(manifest).encode(),
        )


def _execution(month: str, at: datetime) -> str:
    return f"{_time(at)}-{uuid.uuid5(uuid.NAMESPACE_URL, f'{month} {at.isoformat()}')}"


def _parts(rows: Sequence[Mapping[str, str]], size: int) -> Iterator[Sequence[Mapping[str, str]]]:
    for first in range(0, max(len(rows), 1), size):
        yield rows[first : first + size]


def _row(charge: Charge) -> dict[str, str]:
    """A charge in FOCUS's columns, those that are null left out."""
    start, end = _billing_period(charge.billing_month)
    cost = f"{charge.amount:f}"
    row = {
        "BilledCost": cost,
        "BillingAccountId": charge.account,
        "BillingAccountName": f"account {charge.account}",
        "BillingAccountType": "AWS Account",
        "BillingCurrency": charge.currency,
        "BillingPeriodEnd": _time(end),
        "BillingPeriodStart": _time(start),
        "ChargeCategory": _CATEGORIES[charge.kind],
        "ChargeClass": "Correction" if charge.corrects else "",
        "ChargeDescription": f"{charge.sku} in {charge.region}",
        "ChargeFrequency": "Usage-Based" if charge.kind == "usage" else "One-Time",
        "ChargePeriodEnd": _time(charge.end),
        "ChargePeriodStart": _time(charge.start),
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "InvoiceIssuerName": "Amazon Web Services, Inc.",
        "ListCost": cost,
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "ServiceName": charge.service,
        "SubAccountId": charge.account,
        "SubAccountName": f"account {charge.account}",
        "SubAccountType": "AWS Account",
        "Tags": json.dumps(dict(charge.tags)),
        "x_Discounts": "{}",
        "x_UsageType": charge.sku,
    }
    priced = charge.kind in ("usage", "purchase")
    return (
        row | _service(charge) | (_priced(charge) if priced else {}) | (_used(charge) if charge.kind == "usage" else {})
    )


def _service(charge: Charge) -> dict[str, str]:
    known = next((it for name, it in _SERVICE_CATEGORIES.items() if charge.service.startswith(name)), None)
    category, subcategory = known or ("Other", "Other (Other)")
    return {"ServiceCategory": category, "ServiceSubcategory": subcategory}


def _priced(charge: Charge) -> dict[str, str]:
    return {
        "PricingCategory": "Standard",
        "PricingCurrency": charge.currency,
        "PricingQuantity": f"{charge.quantity:f}",
        "PricingUnit": charge.unit,
        "SkuId": charge.sku,
        "SkuPriceId": f"{charge.sku}.OnDemand",
    }


def _used(charge: Charge) -> dict[str, str]:
    return {
        "ConsumedQuantity": f"{charge.quantity:f}",
        "ConsumedUnit": charge.unit,
        "RegionId": charge.region,
        "RegionName": charge.region,
        "ResourceId": charge.resource,
        "ResourceType": "Instance",
    }


def _billing_period(month: str) -> tuple[datetime, datetime]:
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return start, (start + timedelta(days=31)).replace(day=1)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _parquet(rows: Sequence[Mapping[str, str]]) -> bytes:
    columns = ", ".join(
        f"CAST(CAST(nullif({name}, '') AS JSON) AS {type_}) AS {name}"
        if type_.startswith("MAP")
        else f"CAST(nullif({name}, '') AS {type_}) AS {name}"
        for name, type_ in COLUMNS.items()
    )
    with TemporaryDirectory() as folder, duckdb.connect() as database:
        source, target = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        source.write_text(_csv(rows))
        database.execute("SET TimeZone = 'UTC'")
        database.execute(
            f"COPY (SELECT {columns} FROM read_csv($source, all_varchar = true, header = true))"  # noqa: S608 -- ours  # nosec B608
            f" TO '{target}' (FORMAT parquet, COMPRESSION snappy)",
            {"source": str(source)},
        )
        return target.read_bytes()
