"""What Trino has and DuckDB calls otherwise, and DuckDB's types and values as Athena writes them.

Sources: "Data types in Amazon Athena", and the ColumnInfo of GetQueryResults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

MACROS: Final = (
    "CREATE MACRO element_at(container, key) AS container[key]",
    "CREATE MACRO date_format(moment, format) AS strftime(moment, replace(replace(format, '%i', '%M'), '%s', '%S'))",
    "CREATE MACRO to_iso8601(day) AS strftime(day, '%Y-%m-%d')",
)

_LONGEST_TEXT: Final = 2_147_483_647

_GLUE: Final = {
    "string": "VARCHAR",
    "binary": "BLOB",
    "timestamp": "TIMESTAMP",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}

_ATHENA: Final = {
    "VARCHAR": ("varchar", _LONGEST_TEXT, 0),
    "BIGINT": ("bigint", 19, 0),
    "HUGEINT": ("bigint", 19, 0),
    "INTEGER": ("integer", 10, 0),
    "SMALLINT": ("smallint", 5, 0),
    "TINYINT": ("tinyint", 3, 0),
    "BOOLEAN": ("boolean", 0, 0),
    "DOUBLE": ("double", 17, 0),
    "FLOAT": ("float", 17, 0),
    "DATE": ("date", 0, 0),
    "TIMESTAMP": ("timestamp", 3, 0),
    "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", 3, 0),
    "BLOB": ("varbinary", 1_073_741_824, 0),
}

_DECIMAL: Final = re.compile(r"decimal\((\d+), ?(\d+)\)", re.IGNORECASE)
_MAP: Final = re.compile(r"map<(\w+),(.+)>")
_ARRAY: Final = re.compile(r"array<(.+)>")


def duckdb_type(glue: str) -> str:
    """DuckDB's type for one of Glue's; raises NotImplementedError for a type that none of our tables has."""
    text = glue.replace(" ", "").lower()
    if text in _GLUE:
        return _GLUE[text]
    if found := _DECIMAL.fullmatch(text):
        return f"DECIMAL({found[1]}, {found[2]})"
    if found := _MAP.fullmatch(text):
        return f"MAP({duckdb_type(found[1])}, {duckdb_type(found[2])})"
    if found := _ARRAY.fullmatch(text):
        return f"{duckdb_type(found[1])}[]"
    if text.startswith(("varchar(", "char(")):
        return "VARCHAR"
    raise NotImplementedError(f"Glue's type {glue} is not known here")


def column_info(name: str, duckdb: str) -> dict[str, Any]:
    """What Athena says of a column of a result; it writes names in lower case."""
    if found := _DECIMAL.fullmatch(duckdb):
        type_name, precision, scale = "decimal", int(found[1]), int(found[2])
    elif duckdb.startswith("MAP"):
        type_name, precision, scale = "map", 0, 0
    elif duckdb.endswith("[]"):
        type_name, precision, scale = "array", 0, 0
    else:
        type_name, precision, scale = _ATHENA.get(duckdb, ("varchar", _LONGEST_TEXT, 0))
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name.lower(),
        "Label": name.lower(),
        "Type": type_name,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": type_name == "varchar",
    }


def datum(value: Any) -> dict[str, str]:
    """A value as Athena writes it; nothing at all for NULL."""
    return {} if value is None else {"VarCharValue": _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}={_text(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, datetime):
        return _moment(value)
    return _scalar(value)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case bytes():
            return value.hex(" ")
        case _:
            return str(value)


def _moment(value: datetime) -> str:
    moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return moment.isoformat(" ", timespec="milliseconds") + (" UTC" if value.tzinfo else "")
