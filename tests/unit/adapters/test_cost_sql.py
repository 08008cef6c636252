"""Questions as SQL: nothing that a caller writes is anything but a value."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.adapters.cost_sql import literal, question_sql, summary_sql, table_name
from lambdas.core.billing.questions import DIMENSIONS, FILTERS, Label, Question, Scope
from tests.unit.athena.costs import COLUMNS

TABLE = table_name("skysaga", "costs")
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
HOSTILE = (
    st.sampled_from(["'", "''", "\\'", "' OR 1=1 --", "'); DROP TABLE costs; --", "/*", "é", "?", "%", "\n"]) | TEXT
)

_TYPES = {"decimal(38,20)": "DECIMAL(38,20)", "string": "VARCHAR", "timestamp": "TIMESTAMP"}


@pytest.fixture(scope="module", name="database")
def _database() -> duckdb.DuckDBPyConnection:
    """The table without a row."""
    connection = duckdb.connect()
    columns = [f'"{name}" {_TYPES.get(kind, "MAP(VARCHAR, VARCHAR)")}' for name, kind in COLUMNS.items()]
    connection.execute("CREATE SCHEMA skysaga")
    connection.execute(f"CREATE TABLE skysaga.costs ({', '.join(columns)}, source VARCHAR, billing_period VARCHAR)")
    connection.execute("CREATE MACRO element_at(container, key) AS container[key]")
    return connection


@settings(deadline=None)
@given(HOSTILE)
def test_a_literal_is_the_text_and_nothing_else(database: duckdb.DuckDBPyConnection, text: str) -> None:
    assert database.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NUL|surrogates"):
        literal(text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(DIMENSIONS) | HOSTILE.map("label:{}".format), max_size=4),
    st.dictionaries(st.sampled_from(FILTERS), st.lists(HOSTILE, max_size=3).map(tuple)),
    st.builds(Label, HOSTILE, HOSTILE) | st.none(),
)
def test_every_question_is_one_statement_that_only_reads(
    database: duckdb.DuckDBPyConnection, groups: list[str], filters: dict[str, tuple[str, ...]], label: Label | None
) -> None:
    days = (date(2026, 11, 1), date(2026, 11, 26))
    statement = question_sql(Question(tuple(groups), Scope(days, filters, label)), TABLE)
    [parsed] = duckdb.extract_statements(statement)
    assert parsed.type == duckdb.StatementType.SELECT
    found = database.execute(statement).fetchall()
    assert found == []
    assert len(database.description or ()) == len(groups) + 5


@settings(deadline=None)
@given(
    st.dictionaries(HOSTILE, st.builds(Scope, st.none(), st.just({}), st.builds(Label, HOSTILE, HOSTILE)), max_size=3)
)
def test_so_is_every_summary(database: duckdb.DuckDBPyConnection, scopes: dict[str, Scope]) -> None:
    statement = summary_sql("2026-10", scopes, TABLE)
    [parsed] = duckdb.extract_statements(statement)
    assert parsed.type == duckdb.StatementType.SELECT
    assert database.execute(statement).fetchall() == []


def test_a_table_whose_name_has_a_quote_is_still_one_name() -> None:
    assert table_name('a"b', "c") == '"a""b"."c"'
