"""Costs in a file: amounts stay exact decimals, as text in CSV and JSON and as DECIMAL(38, 20) in Parquet."""

from __future__ import annotations

import csv
import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cli.failures import FAILED, Failure

AMOUNTS: Final = ("billed", "effective", "list", "contracted")

_AT_ONCE: Final = 500

Document = Mapping[str, Any]


def export_costs(document: Document, path: Path) -> None:
    """Write a document of the API's in the format that the name of a file says; whole, or not at all.

    Raises OSError, or Failure where a library is missing that the format needs.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        FORMATS[path.suffix](document, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _csv(document: Document, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_header(document))
        writer.writerows(_rows(document))


def _json(document: Document, path: Path) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _parquet(document: Document, path: Path) -> None:
    try:
        # Only now: it takes longer to load than everything else.
        duckdb = importlib.import_module("duckdb")
    except ImportError as error:
        raise Failure("Parquet is written by DuckDB, which is not installed: pip install duckdb", FAILED) from error
    header = _header(document)
    kinds = ["DECIMAL(38, 20)" if name in AMOUNTS else "VARCHAR" for name in header]
    columns = ", ".join(f"{_identifier(name)} {kind}" for name, kind in zip(header, kinds, strict=True))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE costs ({columns})")
        rows = list(_rows(document))
        for first in range(0, len(rows), _AT_ONCE):
            some = rows[first : first + _AT_ONCE]
            marks = ", ".join([f"({', '.join('?' * len(header))})"] * len(some))
            statement = " ".join(("INSERT INTO costs VALUES", marks))
            connection.execute(statement, [it for row in some for it in row])
        connection.execute(f"COPY costs TO {_literal(str(path))} (FORMAT parquet)")


FORMATS: Final[Mapping[str, Callable[[Document, Path], None]]] = {".csv": _csv, ".json": _json, ".parquet": _parquet}


def _header(document: Document) -> list[str]:
    return [*document["group_by"], "currency", *AMOUNTS]


def _rows(document: Document) -> Iterator[Sequence[str | None]]:
    for item in document["items"]:
        keys = [item["keys"][group] for group in document["group_by"]]
        yield [*keys, item["currency"], *(item[name] for name in AMOUNTS)]


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
