"""The files that a Cost Management export leaves: those of the newest whole run of a month, and of no other."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from lambdas.core.billing.spans import Span
from lambdas.core.errors import CursorExpired, RetryableError, TerminalError, Throttled
from lambdas.core.ports.costs import ExportedFile, Page, Rows, Unchanged
from local.simulators.faults import FaultKind
from tests.unit.azure.costs.billed import (
    CONTAINER,
    DECEMBER,
    DIRECTORY,
    EXPORT,
    NOVEMBER,
    NOW,
    BilledAzure,
    at,
    charge,
    content,
    only,
    pages,
    rows,
    total,
)

FOLDER = f"{DIRECTORY}/{EXPORT}/20261101-20261130"


def first(azure: BilledAzure, span: Span = NOVEMBER) -> Page:
    """The first page of a span."""
    page = azure.export().page(span, None, None)
    assert isinstance(page, Page)
    return page


def opened(page: Page) -> str:
    """What is in a page that is a file."""
    assert isinstance(page.content, ExportedFile)
    return content(page.content)


def put_run(azure: BilledAzure, manifest: object, name: str = "one", **files: str) -> None:
    """A run by hand: its files by name, and then its manifest, a minute after whatever was there before."""
    azure.clock.advance(60)
    for file, text in files.items():
        azure.storage.put(CONTAINER, f"{FOLDER}/{name}/{file.replace('_', '.')}", text.encode())
    written = manifest if isinstance(manifest, str) else json.dumps(manifest)
    azure.storage.put(CONTAINER, f"{FOLDER}/{name}/manifest.json", written.encode())


@pytest.mark.parametrize("written", ["csv", "csv.gz"])
def test_each_row_is_on_one_page_and_the_total_is_the_bills_to_the_last_digit(azure: BilledAzure, written: Any) -> None:
    charges = [charge(f"2026-11-{day:02}T05:00", f"123456789012345678.{day:020}") for day in range(1, 6)]
    azure.bill.add(charges)
    azure.run(format=written)

    read = list(pages(azure.export(), NOVEMBER))

    assert [it.content.format for it in read if isinstance(it.content, ExportedFile)] == [written] * 3
    assert total(rows(azure.export(), NOVEMBER)) == Decimal("617283945061728390.00000000000000000015")


def test_an_export_that_was_delivered_twice_is_counted_once(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="1"), charge(amount="2")])
    azure.run()
    azure.clock.advance(3600)
    azure.run()

    assert total(rows(azure.export(), NOVEMBER)) == 3


def test_the_newest_run_counts(azure: BilledAzure) -> None:
    one = charge(amount="1")
    azure.bill.add([one])
    azure.run()
    azure.bill.restate(one.id, Decimal("0.75"), NOW)
    azure.clock.advance(3600)
    azure.run()

    assert only(rows(azure.export(), NOVEMBER))["BilledCost"] == "0.75"


def test_what_arrives_late_is_in_the_run_after(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="1"), charge(amount="2", known_at=at("2026-12-21"))])
    azure.run()
    before = total(rows(azure.export(), NOVEMBER))
    azure.clock.advance(24 * 3600)
    azure.run()

    assert [before, total(rows(azure.export(), NOVEMBER))] == [Decimal(1), Decimal(3)]


def test_a_correction_is_in_the_file_of_the_month_that_it_is_billed_in(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-20T05:00", "-0.25", billing_month="2026-12", corrects=True)])
    azure.run("2026-11")
    azure.run("2026-12")

    assert rows(azure.export(), NOVEMBER) == []
    row = only(rows(azure.export(), DECEMBER))
    assert (row["ChargeClass"], row["ChargePeriodStart"]) == ("Correction", "2026-11-20T00:00Z")
    assert row["BillingPeriodStart"] == "2026-12-01T00:00Z"


def test_a_month_without_a_run_is_an_empty_page_and_the_last_one(azure: BilledAzure) -> None:
    assert first(azure) == Page(Rows([]), None)


def test_a_month_without_a_charge_is_an_empty_page_and_the_last_one(azure: BilledAzure) -> None:
    azure.run()

    assert first(azure) == Page(Rows([]), None)


def test_a_span_of_two_months_has_the_files_of_both(azure: BilledAzure) -> None:
    azure.bill.add([charge("2026-11-30T23:00", "1"), charge("2026-12-01T00:00", "2")])
    azure.run("2026-11")
    azure.run("2026-12")

    read = rows(azure.export(), Span(NOVEMBER.start, at("2026-12-20T09:00")))

    assert [row["BilledCost"] for row in read] == ["1", "2"]


def test_a_newer_run_in_the_middle_of_a_read_means_to_begin_again(azure: BilledAzure) -> None:
    azure.bill.add(charge() for _ in range(5))
    azure.run()
    cursor = first(azure).cursor
    azure.clock.advance(60)
    azure.run()

    with pytest.raises(CursorExpired, match="exported anew"):
        azure.export().page(NOVEMBER, cursor, None)


def test_a_run_that_is_overwritten_before_its_file_is_read_means_to_begin_again(azure: BilledAzure) -> None:
    azure.bill.add([charge()])
    azure.run(overwrites=True)
    page = first(azure)
    azure.clock.advance(60)
    azure.run(overwrites=True)

    with pytest.raises(CursorExpired, match="BlobNotFound"):
        opened(page)


def test_a_file_that_is_written_anew_before_it_is_read_means_to_begin_again(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv"}]}, a_csv="first")
    page = first(azure)
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv"}]}, a_csv="other")

    with pytest.raises(CursorExpired, match="ConditionNotMet"):
        opened(page)


@pytest.mark.parametrize("cursor", ["{", "nonsense", '{"month":"2026-10"}', '{"file":1}'])
def test_a_cursor_that_no_page_gave_means_to_begin_again(azure: BilledAzure, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        azure.export().page(NOVEMBER, cursor, None)


def test_a_run_without_a_manifest_does_not_count_yet(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv"}]}, a_csv="whole")
    azure.storage.put(CONTAINER, f"{FOLDER}/two/b.csv", b"under way")

    assert opened(first(azure)) == "whole"


@pytest.mark.parametrize("files", [{}, {"b_csv": "shorter"}])
def test_a_run_whose_files_are_not_as_its_manifest_says_does_not_count(
    azure: BilledAzure, files: dict[str, str]
) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv", "byteCount": 5}]}, a_csv="whole")
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/two/b.csv", "byteCount": 50}]}, "two", **files)

    assert opened(first(azure)) == "whole"


def test_while_no_run_is_whole_the_month_is_asked_for_again(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv", "byteCount": 5}]})

    with pytest.raises(RetryableError, match="ExportUnderWay"):
        first(azure)


def test_a_file_is_read_from_the_account_that_was_declared_whoever_a_manifest_names(azure: BilledAzure) -> None:
    url = f"https://elsewhere.example/{CONTAINER}/{FOLDER}/one/a%2Ecsv?sig=x"
    put_run(azure, {"blobs": [{"blobName": url}]}, a_csv="ours")

    assert opened(first(azure)) == "ours"


@pytest.mark.parametrize("name", ["unrelated.txt", f"{FOLDER}/../../../unrelated.txt", "https://elsewhere/x/y.csv"])
def test_a_file_outside_of_the_exports_folder_is_not_read(azure: BilledAzure, name: str) -> None:
    put_run(azure, {"blobs": [{"blobName": name}]})

    with pytest.raises(RetryableError, match="ExportUnderWay"):
        first(azure)


@pytest.mark.parametrize("manifest", ["", "{}", '{"blobs": "none"}', '{"blobs": [{"name": "a.csv"}]}'])
def test_a_manifest_that_lists_nothing_is_an_error(azure: BilledAzure, manifest: str) -> None:
    put_run(azure, manifest)

    with pytest.raises(TerminalError, match=r"manifest\.json does not list its blobs"):
        first(azure)


def test_an_export_of_another_dataset_is_refused_by_name(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [], "exportConfig": {"type": "ActualCost"}})

    with pytest.raises(TerminalError, match="focus exports ActualCost, not FocusCost"):
        first(azure)


def test_parquet_is_known_by_its_name(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.snappy.parquet"}]}, a_snappy_parquet="PAR1")

    page = first(azure)

    assert isinstance(page.content, ExportedFile)
    assert page.content.format == "parquet"


def test_a_file_of_an_unknown_format_is_an_error(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.xlsx"}]}, a_xlsx="?")

    with pytest.raises(TerminalError, match="neither Parquet nor CSV"):
        first(azure)


def test_a_large_file_is_fetched_in_parts_and_whole(azure: BilledAzure) -> None:
    text = "0123456789" * 1_000_000
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv"}]}, a_csv=text)
    page = first(azure)
    azure.storage.log.clear()

    assert opened(page) == text
    assert len(azure.storage.log) == 3


def test_an_empty_file_is_empty(azure: BilledAzure) -> None:
    put_run(azure, {"blobs": [{"blobName": f"{FOLDER}/one/a.csv"}]}, a_csv="")

    assert opened(first(azure)) == ""


def test_a_file_can_be_opened_again_from_its_beginning(azure: BilledAzure) -> None:
    azure.bill.add([charge()])
    azure.run()
    page = first(azure)

    assert opened(page) == opened(page)


def test_nothing_has_changed_unless_there_is_a_newer_run(azure: BilledAzure) -> None:
    azure.bill.add([charge()])
    azure.run()
    read_at = at("2026-12-20T10:00")

    assert azure.export().page(NOVEMBER, None, read_at) == Unchanged()
    azure.clock.advance(3600)
    azure.run()
    assert isinstance(azure.export().page(NOVEMBER, None, read_at), Page)


def test_a_run_of_just_before_the_read_is_read_again_as_clocks_may_differ(azure: BilledAzure) -> None:
    azure.run()

    assert isinstance(azure.export().page(NOVEMBER, None, at("2026-12-20T09:31")), Page)


def test_months_are_told_apart_where_a_container_has_many_pages_of_blobs(azure: BilledAzure) -> None:
    azure.bill.add([charge(amount="1"), charge("2026-12-02T05:00", "2")])
    for _ in range(3):
        azure.clock.advance(60)
        azure.run("2026-11")
        azure.run("2026-12")
    azure.storage.page_size = 2

    assert total(rows(azure.export(), NOVEMBER)) == 1


def test_a_busy_account_is_left_alone_for_as_long_as_it_says(azure: BilledAzure) -> None:
    azure.arm("ListBlobs", FaultKind.THROTTLE, times=None)

    with pytest.raises(Throttled, match="ServerBusy") as refused:
        first(azure)

    assert refused.value.retry_after == 10
    assert len(azure.storage.log) == 1


def test_a_busy_account_is_left_alone_in_the_middle_of_a_file_too(azure: BilledAzure) -> None:
    azure.bill.add([charge()])
    azure.run()
    page = first(azure)
    azure.arm("GetBlob", FaultKind.THROTTLE)

    with pytest.raises(Throttled):
        opened(page)


@pytest.mark.parametrize("fault", [FaultKind.ERROR, FaultKind.REFUSE, FaultKind.LOST])
def test_what_passes_by_itself_is_retried(azure: BilledAzure, fault: FaultKind) -> None:
    azure.arm("ListBlobs", fault)

    with pytest.raises(RetryableError):
        first(azure)


def test_a_container_that_does_not_exist_is_named_as_the_error(azure: BilledAzure) -> None:
    with pytest.raises(TerminalError, match="ContainerNotFound"):
        azure.export(container="nowhere").page(NOVEMBER, None, None)


def test_no_token_goes_to_an_account_in_the_open(azure: BilledAzure) -> None:
    with pytest.raises(TerminalError, match="must be https"):
        azure.export(account_url="http://costs.example").page(NOVEMBER, None, None)
