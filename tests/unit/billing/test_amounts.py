"""Amounts keep every digit from a source's text to a file, and what has too many is rounded half to even."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.billing.amounts import exact, parts, too_long, written_out

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
UNIT = Decimal("1E-20")

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18) + 1, max_value=10**18 - 1, places=20)
LONG = st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=25)


class Amounts:
    """What the SQL makes of texts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def of(self, text: str) -> tuple[Decimal | None, bool]:
        """The amount, and whether it had too many decimals."""
        apart = f"SELECT text, {parts('text')} AS parts FROM (SELECT ?::VARCHAR AS text)"  # noqa: S608
        written = f"SELECT *, {written_out('parts')} AS written FROM ({apart})"  # noqa: S608
        query = f"SELECT {exact('text', 'parts', 'written')}, coalesce({too_long('written')}, false) FROM ({written})"  # noqa: S608
        found = self._connection.execute(query, [text]).fetchone()
        assert found is not None
        return found[0], found[1]


@pytest.fixture(scope="module")
def amounts() -> Iterator[Amounts]:
    with duckdb.connect() as connection:
        yield Amounts(connection)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS)
def test_what_fits_keeps_every_digit(amounts: Amounts, amount: Decimal) -> None:
    assert amounts.of(format(amount, "f")) == (amount, False)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS)
def test_scientific_notation_keeps_every_digit(amounts: Amounts, amount: Decimal) -> None:
    assert amounts.of(format(amount, "e")) == (amount, False)


@settings(max_examples=40, deadline=None)
@given(LONG)
@example(Decimal("0.000000000000000000005"))
@example(Decimal("0.000000000000000000015"))
@example(Decimal("-0.000000000000000000025"))
def test_what_has_too_many_decimals_is_rounded_half_to_even(amounts: Amounts, amount: Decimal) -> None:
    rounded = EXACT.quantize(amount, UNIT)
    assert amounts.of(format(amount, "f")) == (rounded, rounded != amount)


@pytest.mark.parametrize(
    ("text", "amount"),
    [(".5", "0.5"), ("5.", "5"), ("+3", "3"), (" 4 ", "4"), ("0", "0"), ("-0.0", "0"), ("1e17", "1" + 17 * "0")],
)
def test_numbers_come_in_many_forms(amounts: Amounts, text: str, amount: str) -> None:
    assert amounts.of(text) == (Decimal(amount), False)


@pytest.mark.parametrize("text", ["abc", "", ".", "-", "1_000", "1,5", "NaN", "inf", "0x1", "1e", "1/2", "USD 1"])
def test_what_is_no_number_is_none(amounts: Amounts, text: str) -> None:
    assert amounts.of(text)[0] is None


@pytest.mark.parametrize("text", ["1" + 18 * "0", "1e18", "9" * 18 + "." + "9" * 21])
def test_more_than_18_digits_before_the_point_do_not_fit(amounts: Amounts, text: str) -> None:
    assert amounts.of(text)[0] is None
