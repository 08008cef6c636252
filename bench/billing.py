"""How quickly rows of costs become windows, and how much memory a large read takes.

A month of one source, 720 windows: staged pages are parsed, normalised, checked against FOCUS's rules, sorted into
windows, and every window's file is written. S3 is a folder, so that the figures are those of our own work. Rates are
per second of one core: DuckDB has one thread, and processor time is what counts. Each run is in a process of its own.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import duckdb

from bench.figure import Figure, limited, plain
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.staging import S3Staging
from lambdas.billing.cost_files import Limits, S3CostFiles
from lambdas.billing.normalising import WRITTEN
from lambdas.core.billing.focus.columns import BY_NAME, Kind
from lambdas.core.billing.sources import DataExport
from lambdas.core.billing.windows import Read, Segment, Window
from lambdas.core.ports.costs import ExportedFile, Row, Rows

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
END: Final = datetime(2026, 12, 1, tzinfo=UTC)
HOURS: Final = 720
PAGE: Final = 10_000
"""Rows of a page from an API; an exported file is one page."""

SMALL: Final = 100_000
LARGE: Final = 1_000_000
MOST_MEGABYTES: Final = 512.0
MOST_GROWTH: Final = 1.5

SOURCE: Final = DataExport(name="bench", since=START, account="123456789012", bucket="bench", export="focus")


class Cost(NamedTuple):
    """What a run took: seconds of the processor to stage and to publish, and the most memory, in MiB."""

    staging: float
    publishing: float
    megabytes: float
    rows: int


class Folder:
    """As much of S3 as is needed here, in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str) -> None:
        """Keep an object."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            shutil.copyfileobj(file, target)

    def download_file(self, bucket: str, key: str, path: str) -> None:
        """Copy an object."""
        shutil.copyfile(self._path(key), path)

    def put_object(self, **call: Any) -> dict[str, str]:
        """Keep an object, on whatever condition."""
        self.upload_fileobj(call["Body"], call["Bucket"], call["Key"])
        return {"ETag": '"etag"'}

    def get_paginator(self, operation: str) -> Folder:
        """The only one is `list_objects_v2`."""
        return self

    def paginate(self, **call: str) -> Iterator[dict[str, list[dict[str, str]]]]:
        """All objects, in one page."""
        keys = [str(path.relative_to(self._root)) for path in self._root.rglob("*") if path.is_file()]
        yield {"Contents": [{"Key": key} for key in keys if key.startswith(call["Prefix"])]}

    def _path(self, key: str) -> Path:
        return self._root / key


def figures() -> list[Figure]:
    """Rates for rows and for exported files, and memory for a small and a large read."""
    rows, csv, parquet = (_run(form, SMALL) for form in ("jsonl.gz", "csv", "parquet"))
    large = {form: _run(form, LARGE) for form in ("jsonl.gz", "csv", "parquet")}
    small = {"jsonl.gz": rows, "csv": csv, "parquet": parquet}
    method = f"{LARGE} rows of {len(WRITTEN)} columns into {HOURS} windows, one thread, S3 a folder"
    names = {"jsonl.gz": "an API", "csv": "a CSV export", "parquet": "a Parquet export"}
    measured = [
        plain(
            "billing: rows staged, a second of one core",
            LARGE / large["jsonl.gz"].staging,
            "1/s",
            "rows of Python objects into compressed JSON lines",
            0,
        )
    ]
    for form, name in names.items():
        rate = LARGE / large[form].publishing
        measured.append(plain(f"billing: rows from {name} published, a second of one core", rate, "1/s", method, 0))
    for form, name in names.items():
        most, ratio = large[form].megabytes, large[form].megabytes / small[form].megabytes
        measured.append(limited(f"billing: memory for {LARGE:,} rows from {name}", most, "MiB", MOST_MEGABYTES, _PEAK))
        growth = f"peak for {LARGE:,} rows to that for {SMALL:,}"
        measured.append(limited(f"billing: growth of it from {SMALL:,}, {name}", ratio, "times", MOST_GROWTH, growth))
    return measured


_PEAK: Final = "peak resident memory of the whole process"


def _run(form: str, rows: int) -> Cost:
    """The costs of a run; pages are staged in a process of their own, so that only publishing's memory is seen."""
    with tempfile.TemporaryDirectory() as folder:
        staging = _child("stage", form, rows, folder)["seconds"]
        published = _child("publish", form, rows, folder)
    return Cost(staging, published["seconds"], published["megabytes"], rows)


def _child(what: str, form: str, rows: int, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.billing", what, form, str(rows), folder]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def _stage(form: str, rows: int, folder: Path) -> float:
    staging = S3Staging(Folder(folder), "bench")
    if form == "jsonl.gz":
        return sum(_staged(staging, number, _page(number)) for number in range(rows // PAGE))
    began = time.process_time()
    path = folder / f"export.{form}"
    _export(path, form, rows)
    staging.put("bench", "read", "run", 0, ExportedFile(form, lambda: _opened(path)))  # type: ignore[arg-type]
    path.unlink()
    return time.process_time() - began


def _staged(staging: S3Staging, number: int, page: Rows) -> float:
    began = time.process_time()
    staging.put("bench", "read", "run", number, page)
    return time.process_time() - began


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    return path.open("rb")


def _page(number: int) -> Rows:
    return Rows([row(at) for at in range(number * PAGE, (number + 1) * PAGE)])


def _publish(form: str, rows: int, folder: Path) -> None:
    pages = rows // PAGE if form == "jsonl.gz" else 1
    segment = Segment(run="run", first=0, count=pages)
    read = Read(id="read", start=START, end=END, begun_at=END, segments=(segment,), complete=True)
    files = S3CostFiles(Folder(folder), "bench", SystemClock(), Limits(folder=folder))
    with files.arrange(SOURCE, read) as arranged:
        for start in arranged.contents:
            arranged.write(Window(source="bench", start=start), f"costs/{start:%Y-%m-%dT%H}.parquet", closed=False)
    if sum(it.rows for it in arranged.contents.values()) != rows:
        raise AssertionError("rows were lost")


def row(number: int) -> Row:
    """One of many different charges, in no order of time."""
    start = START + timedelta(hours=number * 7919 % HOURS)
    cost = Decimal(number % 9973 + 1).scaleb(-7)
    resource = f"i-{number % 5000:017x}"
    texts = {
        "BillingAccountId": "999999999999",
        "BillingAccountName": "payer",
        "BillingAccountType": "Payer",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": f"$0.0912 per On Demand Linux t3.large Instance Hour, {number % 50}",
        "ChargeFrequency": "Usage-Based",
        "ConsumedUnit": "Hours",
        "InvoiceId": "EUINIE26-1234567",
        "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
        "PricingCategory": "Standard",
        "PricingCurrency": "USD",
        "PricingUnit": "Hours",
        "ProviderName": "AWS",
        "PublisherName": "Amazon Web Services, Inc.",
        "RegionId": "eu-west-1",
        "RegionName": "EU (Ireland)",
        "ResourceId": f"arn:aws:ec2:eu-west-1:123456789012:instance/{resource}",
        "ResourceType": "Instance",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Compute Cloud",
        "ServiceSubcategory": "Virtual Machines",
        "SkuId": f"SKU{number % 300}",
        "SkuMeter": "EU-BoxUsage:t3.large",
        "SkuPriceId": f"SKU{number % 300}.JRTCKXETXF.6YS6EN2CT7",
        "SubAccountId": f"{number % 40:012}",
        "SubAccountName": f"team {number % 40}",
        "SubAccountType": "Linked",
    }
    return {
        **texts,
        "BilledCost": cost,
        "BillingPeriodEnd": END,
        "BillingPeriodStart": START,
        "ChargePeriodEnd": start + timedelta(hours=1),
        "ChargePeriodStart": start,
        "ConsumedQuantity": Decimal(1),
        "ContractedCost": cost,
        "ContractedUnitPrice": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "ListUnitPrice": cost,
        "PricingQuantity": Decimal(1),
        "SkuPriceDetails": {"InstanceType": "t3.large", "CoreCount": "2"},
        "Tags": {"skysaga-saga": f"s{number % 200}", "skysaga-resource": "web", "team": f"t{number % 40}"},
    }


def _export(path: Path, form: str, rows: int) -> None:
    """The same rows as a cloud's export has them."""
    lines = path.with_suffix(".jsonl.gz")
    with duckdb.connect(config={"threads": 1, "memory_limit": "1GB"}) as database:
        database.execute("SET preserve_insertion_order = false")
        database.execute(f"CREATE TABLE exported ({', '.join(_exported_type(name) for name in BY_NAME)})")
        for number in range(rows // PAGE):
            staging = S3Staging(Folder(path.parent), "bench")
            staging.put("x", "x", "x", 0, _page(number))
            made = path.parent / "staging/source=x/x/x-000000.jsonl.gz"
            made.rename(lines)
            columns = ", ".join(f"\"{name}\": '{_type(name)}'" for name in BY_NAME)
            database.execute(f"INSERT INTO exported SELECT * FROM read_json('{lines}', columns = {{{columns}}})")  # noqa: S608  # nosec B608
        lines.unlink()
        database.execute(f"COPY exported TO '{path}' ({'FORMAT parquet' if form == 'parquet' else 'HEADER'})")


def _exported_type(name: str) -> str:
    return f'"{name}" {_type(name)}'


def _type(name: str) -> str:
    kind = BY_NAME[name].kind
    if kind is Kind.KEY_VALUE:
        return "JSON"
    return {Kind.DECIMAL: "DECIMAL(38, 10)", Kind.DATE_TIME: "TIMESTAMP"}.get(kind, "VARCHAR")


def main(what: str, form: str, rows: int, folder: Path) -> dict[str, float]:
    """Stage or publish, and say what it took."""
    began = time.process_time()
    if what == "stage":
        return {"seconds": _stage(form, rows, folder)}
    _publish(form, rows, folder)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.process_time() - began, "megabytes": megabytes}


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])), sys.stdout)
