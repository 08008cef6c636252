"""A Glue table as a view over files: its columns by name, in its own types, and its partitions by what keys say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import duckdb

from local.athena.dialect import MACROS, duckdb_type
from local.athena.files import Files, StoredFile

SETTINGS: Final = ("SET TimeZone = 'UTC'", "SET threads = 2", "SET preserve_insertion_order = false")


class _Column(NamedTuple):
    name: str
    type: str


class Catalog:
    """The tables of the account's Glue catalog."""

    def __init__(self, client: Callable[[str], Any], files: Files) -> None:
        self._client = client
        self._files = files

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
        name = f"{_identifier(database)}.{_identifier(table['Name'].lower())}"
        # One view for each set of files: a view over thousands of files in one statement is slow to plan.
        parts = [
            _part(connection, list(group), dict(partition), columns, keys)
            for partition, group in groupby(sorted(files, key=_by_partition), key=lambda it: it.partition)
        ]
        connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts) or _nothing([*columns, *keys])}")


def _part(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[StoredFile],
    partition: dict[str, str],
    columns: Sequence[_Column],
    keys: Sequence[_Column],
) -> str:
    paths = ", ".join(_literal(str(it.path)) for it in files)
    rows = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    described = connection.execute(f"SELECT * FROM {rows} LIMIT 0").description  # noqa: S608 -- our own files
    there = {column[0].lower() for column in described or ()}
    found = [
        f"CAST({_identifier(it.name) if it.name in there else 'NULL'} AS {it.type}) AS {_identifier(it.name)}"
        for it in columns
    ]
    found += [
        f"CAST({_literal(partition[it.name]) if it.name in partition else 'NULL'} AS {it.type})"
        f" AS {_identifier(it.name)}"
        for it in keys
    ]
    return f"SELECT {', '.join(found)} FROM {rows}"  # noqa: S608 -- our own files


def _nothing(columns: Sequence[_Column]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {it.type}) AS {_identifier(it.name)}" for it in columns)
    return f"SELECT {nulls} WHERE FALSE"


def _by_partition(file: StoredFile) -> tuple[tuple[tuple[str, str], ...], str]:
    return file.partition, str(file.path)


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
