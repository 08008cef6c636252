"""Windows in S3: what of a read goes into which, written whole and only in place of what is known to be there."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.billing.normalising import WRITTEN
from lambdas.core.billing.windows import Segment, Window
from lambdas.core.errors import Overtaken, RetryableError, TerminalError
from lambdas.core.ports.costs import ExportedFile, Rows
from tests.unit.billing.charges import EVERY_KIND, HOUR, MONTH, correction, tax, usage
from tests.unit.billing.conftest import BUCKET, GOOGLE, SOURCE, Costs, november

KEY = "costs/source=production/billing_period=2026-11/2026-11-20T09.parquet"
WINDOW = Window(source="production", start=HOUR)


def test_a_charge_of_each_kind_breaks_no_rule(costs: Costs) -> None:
    with costs.arranged([make() for make in EVERY_KIND]) as arranged:
        assert {start: it.violations for start, it in arranged.contents.items()} == {HOUR: {}, MONTH: {}}


def test_a_row_belongs_to_the_window_in_which_its_charge_period_begins(costs: Costs) -> None:
    rows = [
        usage(),
        usage(ChargePeriodStart=HOUR + timedelta(minutes=59)),
        usage(ChargePeriodStart=HOUR - timedelta(1)),
    ]
    with costs.arranged(rows) as arranged:
        assert {start: it.rows for start, it in arranged.contents.items()} == {HOUR: 2, HOUR - timedelta(1): 1}
        assert arranged.data_through == HOUR + timedelta(minutes=119)


def test_a_correction_of_an_earlier_month_belongs_to_the_first_window_of_its_billing_period(costs: Costs) -> None:
    with costs.arranged([correction()]) as arranged:
        assert set(arranged.contents) == {MONTH}


def test_a_row_of_another_span_is_left_to_another_read(costs: Costs) -> None:
    october = datetime(2026, 10, 31, 23, tzinfo=UTC)
    with costs.arranged([usage(ChargePeriodStart=october, BillingPeriodStart=datetime(2026, 10, 1, tzinfo=UTC))]) as it:
        assert not it.contents


def test_a_missing_billing_period_is_the_month_of_the_sources_calendar(costs: Costs) -> None:
    early = datetime(2026, 11, 1, 3, tzinfo=UTC)
    row = usage(ChargePeriodStart=early, BillingPeriodStart=None, BillingPeriodEnd=None)
    with costs.arranged([row], source=GOOGLE) as arranged:
        arranged.write(Window(source="production", start=early), KEY, closed=False)
    periods = costs.query(KEY, 'SELECT "BillingPeriodStart", "BillingPeriodEnd" FROM file')
    assert periods == [(datetime(2026, 10, 1, 7), datetime(2026, 11, 1, 7))]  # noqa: DTZ001 - as Parquet has it


def test_a_file_holds_every_column_in_order_and_its_own_rows_alone(costs: Costs) -> None:
    with costs.arranged([usage(), usage(ChargePeriodStart=HOUR + timedelta(hours=1))]) as arranged:
        arranged.write(WINDOW, KEY, closed=True)
    described = costs.query(KEY, "DESCRIBE SELECT * FROM file")
    assert [it[0] for it in described] == list(WRITTEN)
    assert {it[0]: it[1] for it in described}["BilledCost"] == "DECIMAL(38,20)"
    (row,) = costs.query(KEY, 'SELECT "BilledCost", "ChargePeriodStart", "Tags", "ChargeClass" FROM file')
    assert row == (
        Decimal("0.0832"),
        HOUR.replace(tzinfo=None),
        {"skysaga-resource": "web", "skysaga-saga": "s1", "team": "payments"},
        None,
    )


def test_a_file_says_what_it_is(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged:
        arranged.write(WINDOW, KEY, closed=True)
    about = costs.query(KEY, "SELECT decode(key), decode(value) FROM parquet_kv_metadata(file)")
    assert dict(about) | {"attempt": ""} == {
        "source": "production",
        "window": "2026-11-20T09",
        "read": "r1",
        "closed": "true",
        "written_at": "2026-11-22T12:00:00+00:00",
        "attempt": "",
    }


def test_a_row_is_whose_its_tags_say(costs: Costs) -> None:
    rows = [usage(), usage(Tags={"user:skysaga-saga": "s2"}), usage(Tags=None), usage(Tags=None, x_SagaId="s3")]
    with costs.arranged(rows) as arranged:
        arranged.write(WINDOW, KEY, closed=False)
    found = costs.query(KEY, "SELECT x_SagaId, x_SagaResourceId, x_Source FROM file ORDER BY 1 NULLS LAST")
    assert found == [
        ("s1", "web", "production"),
        ("s2", None, "production"),
        ("s3", None, "production"),
        (None, None, "production"),
    ]


def test_the_first_file_is_written_only_if_there_is_none(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged:
        arranged.write(WINDOW, KEY, closed=False)
        with pytest.raises(Overtaken):
            arranged.write(WINDOW, KEY, closed=False)


def test_a_file_is_replaced_only_if_it_is_the_one_that_is_known(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged:
        first = arranged.write(WINDOW, KEY, closed=False)
        second = arranged.write(WINDOW.model_copy(update={"etag": first}), KEY, closed=False)
        assert second != first
        with pytest.raises(Overtaken):
            arranged.write(WINDOW.model_copy(update={"etag": first}), KEY, closed=False)
    assert costs.client.head_object(Bucket=BUCKET, Key=KEY)["ETag"] == second


class Forgetful:
    """S3 that writes and then refuses the same put again, as it does when the answer to the first was lost."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **call: Any) -> Any:
        self._client.put_object(**call)
        raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "m"}}, "PutObject")


def test_who_has_written_already_is_not_overtaken_by_himself(costs: Costs) -> None:
    costs.files = type(costs.files)(Forgetful(costs.client), BUCKET, costs.files._clock)
    with costs.arranged([usage()]) as arranged:
        assert arranged.write(WINDOW, KEY, closed=False) == costs.client.head_object(Bucket=BUCKET, Key=KEY)["ETag"]


def test_a_window_that_holds_nothing_any_more_is_written_as_an_empty_file(costs: Costs) -> None:
    with costs.arranged([usage(ChargePeriodStart=MONTH)]) as arranged:
        arranged.write(WINDOW, KEY, closed=False)
    assert costs.query(KEY, "SELECT count(*) FROM file") == [(0,)]
    assert len(costs.query(KEY, "DESCRIBE SELECT * FROM file")) == len(WRITTEN)


def test_who_would_replace_a_file_that_is_gone_was_overtaken(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged, pytest.raises(Overtaken):
        arranged.write(WINDOW.model_copy(update={"etag": '"gone"'}), KEY, closed=False)
    assert costs.files.there(KEY) is None


def test_a_file_says_which_read_it_is_of(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged:
        etag = arranged.write(WINDOW, KEY, closed=False)
    there = costs.files.there(KEY)
    assert there is not None
    assert (there.read, there.etag) == ("r1", etag)


def test_a_refusal_of_s3_may_pass(costs: Costs) -> None:
    with costs.arranged([usage()]) as arranged:
        costs.files._bucket = arranged._bucket = "another"
        with pytest.raises(RetryableError):
            arranged.write(WINDOW, KEY, closed=False)


def test_only_pages_of_the_reads_segments_count(costs: Costs) -> None:
    for run, number in (("first", 0), ("first", 1), ("second", 1), ("second", 2)):
        costs.staging.put("production", "r1", run, number, Rows([usage()]))
    segments = (Segment(run="first", first=0, count=1), Segment(run="second", first=1, count=2))
    with costs.files.arrange(SOURCE, november("r1", *segments)) as arranged:
        assert arranged.contents[HOUR].rows == 3


def test_a_page_that_is_gone_ends_the_read(costs: Costs) -> None:
    with (
        pytest.raises(TerminalError, match=r"MissingPages.*run-000000"),
        costs.files.arrange(SOURCE, november("r1", Segment(run="run", first=0, count=1))),
    ):
        pass


def test_a_read_without_rows_holds_nothing(costs: Costs) -> None:
    with costs.arranged([]) as arranged:
        assert not arranged.contents
        assert arranged.data_through is None


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"BilledCost": None}, "BilledCost"),
        ({"BilledCost": "secret"}, "BilledCost"),
        ({"BilledCost": Decimal("1234567890123456789")}, "BilledCost"),
        ({"BillingCurrency": " "}, "BillingCurrency"),
        ({"ChargePeriodStart": "secret"}, "ChargePeriodStart"),
        ({"ChargePeriodEnd": None}, "ChargePeriodEnd"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_without_what_it_holds(
    costs: Costs, changes: dict[str, Any], column: str
) -> None:
    broken = {name: value for name, value in (usage() | changes).items() if value is not None}
    with (
        pytest.raises(
            TerminalError, match=rf"^InvalidRows: row 3 of the page run-000001.jsonl.gz: {column} "
        ) as raised,
        costs.arranged([usage()], [usage(), usage(), broken]),
    ):
        pass
    assert "secret" not in str(raised.value)


def exported(text: str, form: Any = "csv") -> ExportedFile:
    return ExportedFile(form, lambda: closing(BytesIO(text.encode())))


def test_an_exported_file_that_is_none_ends_the_read_without_what_it_holds(costs: Costs) -> None:
    with pytest.raises(TerminalError, match="as parquet") as raised, costs.arranged(exported("secret", "parquet")):
        pass
    assert "secret" not in str(raised.value)


def sums(rows: list[Any], costs: Costs, cut: Callable[[list[Any]], list[list[Any]]]) -> Any:
    with costs.arranged(*cut(rows)) as arranged:
        return arranged.contents


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_contents_do_not_depend_on_the_order_of_rows_and_pages(seed: int, costs_of_module: Costs) -> None:
    costs, order = costs_of_module, random.Random(seed)  # noqa: S311 -- repeatable
    rows = [make() for make in EVERY_KIND] * 2
    whole = sums(rows, costs, lambda it: [it])
    order.shuffle(rows)
    cut = order.randrange(len(rows))
    assert sums(rows, costs, lambda it: [it[:cut], it[cut:]]) == whole


@pytest.mark.parametrize(
    "other",
    [
        [usage()],
        [usage(), usage(), usage()],
        [usage(), usage(BilledCost=Decimal("0.08320000000000000001"))],
        [usage(), usage(Tags={"team": "other"})],
        [usage(), tax()],
    ],
)
def test_the_digest_notices_every_change_and_duplicate(costs: Costs, other: list[Any]) -> None:
    with costs.arranged([usage(), usage()]) as arranged:
        before = arranged.contents[HOUR].digest
    with costs.arranged(other) as arranged:
        assert arranged.contents[HOUR].digest != before


def test_the_digest_is_that_of_the_values_however_they_are_written(costs: Costs) -> None:
    same = usage(BilledCost="8.320e-2", Tags='{"team": "payments", "skysaga-saga":"s1", "skysaga-resource": "web"}')
    with costs.arranged([usage()]) as arranged:
        before = arranged.contents
    with costs.arranged([same]) as arranged:
        assert arranged.contents == before


def test_what_is_billed_is_summed_by_currency(costs: Costs) -> None:
    rows = [usage(), usage(BilledCost=Decimal("1E-20")), usage(BillingCurrency="EUR", BilledCost=Decimal("-3"))]
    with costs.arranged(rows) as arranged:
        assert arranged.contents[HOUR].billed == {"USD": Decimal("0.08320000000000000001"), "EUR": Decimal(-3)}


def test_sums_outgrow_what_one_amount_may_be(costs: Costs) -> None:
    most = Decimal("999999999999999999.99999999999999999999")
    with costs.arranged([usage(BilledCost=most)] * 3) as arranged:
        assert str(arranged.contents[HOUR].billed["USD"]) == "2999999999999999999.99999999999999999997"
