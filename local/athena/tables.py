"""A Glue table as a view over files: its columns by name, in its own types, and its partitions by what keys say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import duckdb

from local.athena.dialect import MACROS, duckdb_type
from local.athena.files import Files, StoredFile

SETTINGS: Final = ("SET TimeZone = 'UTC'", "SET threads = 2", "SET preserve_insertion_order = false")


_Schema = tuple[tuple[str, ...], ...]
"""The columns of a file: the name, the type, and what else says how its values are to be understood."""


class _Column(NamedTuple):
    name: str
    type: str


class Catalog:
    """The tables of the account's Glue catalog."""

    def __init__(self, client: Callable[[str], Any], files: Files) -> None:
        self._client = client
        self._files = files
        self._schemas: dict[str, _Schema] = {}

    def connection(self, statement: str, database: str) -> duckdb.DuckDBPyConnection:
        """A database of its own with every table that a statement may name; raises duckdb.Error or ClientError."""
        connection = duckdb.connect()
        for text in (*SETTINGS, *MACROS):
            connection.execute(text)
        for name, table in self._named_in(statement):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_identifier(name)}")
            self._create_view(connection, name, table)
        if database and _has_schema(connection, database):
            connection.execute("SET search_path = ?", [f"{_identifier(database)},main"])
        return connection

    def _named_in(self, statement: str) -> Iterator[tuple[str, Any]]:
        text, glue = statement.lower(), self._client("glue")
        for page in glue.get_paginator("get_databases").paginate():
            for database in page["DatabaseList"]:
                for tables in glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"]):
                    for table in tables["TableList"]:
                        if table["Name"].lower() in text:
                            yield database["Name"].lower(), table

    def _create_view(self, connection: duckdb.DuckDBPyConnection, database: str, table: Any) -> None:
        storage = table["StorageDescriptor"]
        columns = [_Column(it["Name"].lower(), duckdb_type(it["Type"])) for it in storage["Columns"]]
        keys = [_Column(it["Name"].lower(), duckdb_type(it["Type"])) for it in table.get("PartitionKeys", [])]
        files = self._files.below(_folder(storage["Location"]))
        self._read_schemas(connection, [str(it.path) for it in files])
        # Files of one schema need not be opened to plan a query, and those of partitions that it leaves out not at all.
        alike = sorted(files, key=self._kind)
        parts = [
            _part(list(group), schema, dict(partition), columns, keys)
            for (partition, schema), group in groupby(alike, self._kind)
        ]
        name = f"{_identifier(database)}.{_identifier(table['Name'].lower())}"
        connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts) or _nothing([*columns, *keys])}")

    def _kind(self, file: StoredFile) -> tuple[tuple[tuple[str, str], ...], _Schema]:
        return file.partition, self._schemas[str(file.path)]

    def _read_schemas(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
        """Learn the columns of files that were not seen before; what a file of that name holds never changes."""
        unknown = [path for path in paths if path not in self._schemas]
        if not unknown:
            return
        query = "SELECT file_name, name, type, converted_type, scale FROM parquet_schema(?)"
        found: dict[str, list[tuple[str, ...]]] = {path: [] for path in unknown}
        for path, *column in connection.execute(query, [unknown]).fetchall():
            found[path].append(tuple(map(str, column)))
        self._schemas |= {path: tuple(columns) for path, columns in found.items()}


def _part(
    files: Sequence[StoredFile],
    schema: _Schema,
    partition: dict[str, str],
    columns: Sequence[_Column],
    keys: Sequence[_Column],
) -> str:
    there = {name.lower() for name, *_ in schema}
    found = [_cast(_identifier(it.name) if it.name in there else "NULL", it) for it in columns]
    found += [_cast(_literal(partition[it.name]) if it.name in partition else "NULL", it) for it in keys]
    paths = ", ".join(_literal(str(it.path)) for it in files)
    return " ".join(("SELECT", ", ".join(found), f"FROM read_parquet([{paths}], hive_partitioning = false)"))


def _cast(expression: str, column: _Column) -> str:
    return f"CAST({expression} AS {column.type}) AS {_identifier(column.name)}"


def _nothing(columns: Sequence[_Column]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {it.type}) AS {_identifier(it.name)}" for it in columns)
    return f"SELECT {nulls} WHERE FALSE"


def _has_schema(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    query = "SELECT count(*) FROM information_schema.schemata WHERE lower(schema_name) = ?"
    found = connection.execute(query, [name.lower()]).fetchone()
    return bool(found and found[0])


def _folder(location: str) -> str:
    return location if location.endswith("/") else f"{location}/"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
