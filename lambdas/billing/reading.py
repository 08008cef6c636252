"""A staged page as DuckDB reads it: whatever its format, under FOCUS 1.2's names, nothing of its values changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from duckdb import DuckDBPyConnection

from lambdas.adapters.staging import ROWS_FORMAT
from lambdas.core.billing.focus.columns import COLUMNS, NAMES, OURS, Column, Kind

_LONGEST_LINE: Final = 2 * 1024 * 1024
"""Bytes: DuckDB holds two of them for each thread that reads."""


class _Given(NamedTuple):
    name: str
    type: str


def delivered(connection: DuckDBPyConnection, path: Path, form: str) -> str:
    """A query for what a file delivers: each column of FOCUS 1.2 and of ours, as text, key-values as JSON text.

    Columns that the file does not have are null; what it has besides is left out. Raises duckdb.Error.
    """
    table = _table(path, form)
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608 - our own path  # nosec B608
    given = {str(name).lower(): _Given(str(name), str(kind)) for name, kind, *_ in described}
    columns = [f"{_column(column, given)} AS {quoted(column.name)}" for column in COLUMNS]
    ours = [f"{_first([name], given, key_value=False)} AS {quoted(name)}" for name in OURS]
    return f"SELECT {', '.join([*columns, *ours])} FROM {table}"  # noqa: S608 - names from the file, quoted  # nosec B608


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


def _table(path: Path, form: str) -> str:
    file = literal(str(path))
    if form == ROWS_FORMAT:
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in (*NAMES, *OURS))
        return (
            f"read_json({file}, format = 'newline_delimited', compression = 'gzip', columns = {{{columns}}}, "
            f"maximum_object_size = {_LONGEST_LINE})"
        )
    if form == "parquet":
        return f"read_parquet({file})"
    compression = "gzip" if form == "csv.gz" else "none"
    return (
        f"read_csv({file}, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"compression = '{compression}', max_line_size = {_LONGEST_LINE})"
    )


def _column(column: Column, given: Mapping[str, _Given]) -> str:
    return _first([column.name, *column.formerly], given, key_value=column.kind is Kind.KEY_VALUE)


def _first(names: list[str], given: Mapping[str, _Given], *, key_value: bool) -> str:
    """Of the columns of some names, the first that has a value."""
    found = [given[name.lower()] for name in names if name.lower() in given]
    values = [_json(it) if key_value else _text(it) for it in found]
    return f"coalesce({', '.join(values)})" if values else "CAST(NULL AS VARCHAR)"


def _text(column: _Given) -> str:
    """Text that is not blank; of a number in binary the shortest that stands for it, which is what it was made from."""
    text = quoted(column.name) if column.type == "VARCHAR" else f"CAST({quoted(column.name)} AS VARCHAR)"
    return f"if(trim({text}) = '', NULL, {text})"


def _json(column: _Given) -> str:
    """An object: also of a map in Parquet, and of Azure's tags, from which some exports leave out the braces."""
    if column.type != "VARCHAR":
        return f"CAST(to_json({quoted(column.name)}) AS VARCHAR)"
    text = f"trim({quoted(column.name)})"
    braced = f"if({text}[1] = '\"', '{{' || {text} || '}}', {text})"
    return f"if({text} IN ('', 'null'), NULL, {braced})"
