"""Data Exports as a source: the newest delivery counts, whole, and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError
from lambdas.core.ports.costs import ExportedFile, Page, Rows, Unchanged
from tests.unit.aws.billing import (
    BUCKET,
    NOON,
    NOVEMBER,
    Account,
    billed_account,
    charge,
    content,
    pages,
    rows,
    total,
)

HOUR = timedelta(hours=1)
SO_FAR = NOVEMBER._replace(end=NOON)
MANIFEST = "focus/metadata/BILLING_PERIOD=2026-11/focus-Manifest.json"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with billed_account(monkeypatch.setenv) as account:
        yield account


def fill(account: Account, count: int = 10, amount: str = "0.1") -> None:
    account.bill.add(charge(it, NOVEMBER.start + it * HOUR, amount, f"saga-{it % 3}") for it in range(count))


def first_page(account: Account, unless: datetime | None = None) -> Page | Unchanged:
    return account.exported().page(SO_FAR, None, unless)


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("format", ["parquet", "csv.gz"])
def test_what_files_add_up_to_is_the_bill_to_the_last_digit(account: Account, format: Any, overwrite: bool) -> None:
    amounts = ["0.0416", "0.0000000001", "123456.123456789", "-0.3333333333", "0.1", "0.2"]
    account.bill.add(charge(it, NOVEMBER.start + it * HOUR, amount, "saga-1") for it, amount in enumerate(amounts))
    account.export(format=format, overwrite=overwrite, rows_per_file=4).refresh(NOON)

    found = rows(account.exported(), SO_FAR)
    assert total(found) == sum(map(Decimal, amounts))
    assert [page.content.format for page in pages(account.exported(), SO_FAR) if isinstance(page.content, ExportedFile)]
    assert {str(row["Tags"]) for row in found} == {str({"skysaga-saga": "saga-1", "skysaga-resource": "web"})}


def test_every_file_is_a_page_and_is_read_from_its_beginning_each_time(account: Account) -> None:
    fill(account, 10)
    account.export(rows_per_file=4).refresh(NOON)

    read = list(pages(account.exported(), SO_FAR))
    assert [len(content(page)) for page in read] == [4, 4, 2]
    assert [len(content(page)) for page in read] == [4, 4, 2]


@pytest.mark.parametrize("overwrite", [True, False])
def test_an_export_that_was_delivered_twice_is_counted_once(account: Account, overwrite: bool) -> None:
    fill(account, 10)
    export = account.export(overwrite=overwrite, rows_per_file=4)
    export.refresh(NOON)
    account.clock.advance(3600)
    export.refresh(NOON + HOUR)

    assert total(rows(account.exported(), SO_FAR)) == 1


def test_files_that_an_earlier_delivery_left_behind_do_not_count(account: Account) -> None:
    fill(account, 10)
    account.export(rows_per_file=2).refresh(NOON)
    account.clock.advance(3600)
    account.export(rows_per_file=10).refresh(NOON + HOUR)

    assert len(list(pages(account.exported(), SO_FAR))) == 1
    assert total(rows(account.exported(), SO_FAR)) == 1


def test_a_month_that_was_not_delivered_yet_is_an_empty_last_page(account: Account) -> None:
    assert first_page(account) == Page(Rows([]), None)
    fill(account)
    account.export().refresh(NOON)

    assert total(rows(account.exported(), SO_FAR)) == 1


def test_nothing_has_changed_until_the_manifest_is_newer(account: Account) -> None:
    fill(account)
    account.export().refresh(NOON)

    assert isinstance(first_page(account, unless=NOON + HOUR), Unchanged)
    assert isinstance(first_page(account, unless=NOON - HOUR), Page)
    account.clock.advance(2 * 3600)
    account.export().refresh(NOON + 2 * HOUR)
    assert isinstance(first_page(account, unless=NOON + HOUR), Page)


def test_a_manifest_of_the_very_moment_of_the_last_read_is_read_again(account: Account) -> None:
    fill(account)
    account.export().refresh(NOON)

    assert isinstance(first_page(account, unless=NOON + timedelta(seconds=1)), Page)


def test_a_manifest_that_has_gone_is_no_news(account: Account) -> None:
    fill(account)
    account.export().refresh(NOON)
    account.s3.delete_object(Bucket=BUCKET, Key=MANIFEST)

    assert isinstance(first_page(account, unless=NOON + HOUR), Unchanged)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_manifest_that_changes_in_the_middle_of_a_read_means_from_the_beginning(
    account: Account, overwrite: bool
) -> None:
    fill(account, 10)
    export = account.export(overwrite=overwrite, rows_per_file=4)
    export.refresh(NOON)
    page = first_page(account)
    assert isinstance(page, Page)
    account.clock.advance(3600)
    export.refresh(NOON + HOUR)

    with pytest.raises(CursorExpired, match="2026-11 was delivered anew"):
        account.exported().page(SO_FAR, page.cursor, None)
    assert total(rows(account.exported(), SO_FAR)) == 1


def test_files_of_a_delivery_that_is_under_way_are_not_taken_for_those_of_the_last_one(account: Account) -> None:
    fill(account, 10)
    export = account.export(rows_per_file=4)
    export.refresh(NOON)
    account.clock.advance(3600)
    keys = export.begin("2026-11", NOON + HOUR)

    with pytest.raises(RetryableError, match="DeliveryUnderWay"):
        first_page(account)
    export.finish("2026-11", NOON + HOUR, keys)
    assert total(rows(account.exported(), SO_FAR)) == 1


def test_a_file_that_is_replaced_before_it_is_opened_is_not_read(account: Account) -> None:
    fill(account, 10)
    export = account.export(rows_per_file=4)
    export.refresh(NOON)
    page = first_page(account)
    assert isinstance(page, Page)
    account.bill.restate("charge-000001", Decimal(7), NOON)
    account.clock.advance(3600)
    export.refresh(NOON + HOUR)

    with pytest.raises(CursorExpired, match="PreconditionFailed"):
        content(page)


def test_a_restatement_is_seen_by_the_next_read(account: Account) -> None:
    fill(account, 10)
    account.bill.restate("charge-000001", Decimal(7), NOON + HOUR)
    account.export().refresh(NOON)
    assert total(rows(account.exported(), SO_FAR)) == 1
    account.clock.advance(3600)
    account.export().refresh(NOON + HOUR)

    assert total(rows(account.exported(), SO_FAR)) == Decimal("7.9")


def test_months_are_read_one_after_the_other_and_one_that_is_missing_is_passed_over(account: Account) -> None:
    september, november = datetime(2026, 9, 30, 23, tzinfo=UTC), NOVEMBER.start
    account.bill.add([charge(1, september, "1"), charge(2, november, "10")])
    account.export().refresh(NOON)

    span = Span(datetime(2026, 9, 1, tzinfo=UTC), NOON)
    assert [total(content(page)) for page in pages(account.exported(), span)] == [1, 0, 10]
    assert total(rows(account.exported(), SO_FAR)) == 10


def test_a_correction_of_an_earlier_month_is_in_the_file_of_the_month_it_is_billed_in(account: Account) -> None:
    october = datetime(2026, 10, 20, tzinfo=UTC)
    account.bill.add([charge(1, october, "-5", corrects=True, known_at=NOON, billing_month="2026-11")])
    account.export().refresh(NOON)

    (row,) = rows(account.exported(), SO_FAR)
    assert (row["ChargeClass"], row["ChargePeriodStart"], row["BillingPeriodStart"]) == (
        "Correction",
        october,
        NOVEMBER.start,
    )


def test_a_prefix_and_the_buckets_region_are_minded(account: Account) -> None:
    fill(account)
    account.export(prefix="costs/of-us").refresh(NOON)

    assert total(rows(account.exported(prefix="costs/of-us", bucket_region="eu-west-1"), SO_FAR)) == 1
    assert first_page(account) == Page(Rows([]), None)


def test_a_manifest_in_its_deliverys_own_folder_is_found(account: Account) -> None:
    fill(account)
    account.export(overwrite=False).refresh(NOON)
    source = {"Bucket": BUCKET, "Key": MANIFEST}
    nested = MANIFEST.replace("/focus-Manifest", "/2026-11-26T12:00:00.000Z-1/focus-Manifest")
    account.s3.copy_object(Bucket=BUCKET, Key=nested, CopySource=source)
    account.s3.delete_object(**source)

    assert total(rows(account.exported(), SO_FAR)) == 1


@pytest.mark.parametrize(
    "manifest",
    ["no JSON", "{}", '{"dataFiles": ["s3://elsewhere/a.parquet"]}', '{"dataFiles": ["s3://exports/a.txt"]}'],
)
def test_a_manifest_that_cannot_be_used_is_terminal(account: Account, manifest: str) -> None:
    account.s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"")
    account.s3.put_object(Bucket=BUCKET, Key=MANIFEST, Body=manifest.encode())

    with pytest.raises(TerminalError):
        first_page(account)


def test_a_file_that_is_listed_and_not_there_may_come(account: Account) -> None:
    fill(account)
    account.export().refresh(NOON)
    account.s3.delete_object(Bucket=BUCKET, Key="focus/data/BILLING_PERIOD=2026-11/focus-00001.snappy.parquet")

    with pytest.raises(RetryableError):
        first_page(account)


def test_a_bucket_that_is_not_there_is_terminal(account: Account) -> None:
    account.s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(TerminalError, match="NoSuchBucket"):
        first_page(account)


@pytest.mark.parametrize("cursor", ["{}", "no JSON", '{"month": "2025-01"}'])
def test_a_cursor_that_is_none_means_from_the_beginning(account: Account, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        account.exported().page(SO_FAR, cursor, None)
