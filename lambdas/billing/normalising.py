"""Text into FOCUS 1.2's types, in SQL: decimals to the last digit, moments in UTC, key-values as maps.

What makes a row unusable is named in it (`unusable`, a column); a value that is not of its column's type is left out,
and counted by the id of the rule that it breaks (`broken`). Every step is a query over the one before, so that nothing
is computed twice, or planned twice.
"""

from __future__ import annotations

from typing import Final

from lambdas.billing.amounts import DECIMAL, exact, parts, too_long, written_out
from lambdas.billing.reading import literal, quoted
from lambdas.core.billing.focus.columns import COLUMNS, OURS, SAGA_ID, SAGA_RESOURCE_ID, SOURCE, Column, Kind
from lambdas.core.billing.focus.rules import ROUNDED, TYPE_RULES
from lambdas.core.billing.spans import BillingCalendar
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA

SQL_TYPES: Final = {
    Kind.STRING: "VARCHAR",
    Kind.DATE_TIME: "TIMESTAMP",
    Kind.DECIMAL: DECIMAL,
    Kind.KEY_VALUE: "MAP(VARCHAR, VARCHAR)",
}

WRITTEN: Final = (*(column.name for column in COLUMNS), *OURS)
"""The columns of a window's file, in their order."""

UNUSABLE: Final = ("BilledCost", "BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd")
"""Without these a row cannot be used."""

_DECIMALS: Final = tuple(it.name for it in COLUMNS if it.kind is Kind.DECIMAL)
_KEY_VALUES: Final = tuple(it.name for it in COLUMNS if it.kind is Kind.KEY_VALUE)

_SPELLINGS: Final = {
    mark: (mark, f"user:{mark}", f"user_{mark.replace('-', '_')}") for mark in (MARK_SAGA, MARK_RESOURCE)
}
"""AWS puts a prefix before the keys of users' tags in some of its exports, and has its own idea of what a key is."""


def normalised(delivered: str, page: int, source: str, calendar: BillingCalendar) -> str:
    """A query for the rows of a page in their types, each with its window, its page and what is wrong with it."""
    window = 'date_trunc(\'hour\', greatest("ChargePeriodStart", "BillingPeriodStart"))'
    query = _checked(_typed(_taken_apart(delivered)), source, calendar)
    return f"SELECT {window} AS window_start, {page} AS page, * FROM ({query})"  # noqa: S608  # nosec B608


def table_columns() -> str:
    """The columns of a table that takes them."""
    columns = [f"{quoted(it.name)} {SQL_TYPES[it.kind]}" for it in COLUMNS]
    ours = [f"{quoted(name)} VARCHAR" for name in OURS]
    head = ["window_start TIMESTAMP", "page INTEGER"]
    return ", ".join([*head, *columns, *ours, "broken VARCHAR[]", "unusable VARCHAR"])


def _taken_apart(query: str) -> str:
    """Besides the texts: numbers in another form than the plain one in their parts, key-values as maps."""
    numbers = [f"{parts(quoted(name))} AS {_of('parts', name)}" for name in _DECIMALS]
    maps = [f"{_map(quoted(name))} AS {_of('map', name)}" for name in _KEY_VALUES]
    apart = f"SELECT *, {', '.join([*numbers, *maps])} FROM ({query})"  # noqa: S608  # nosec B608
    written = [f"{written_out(_of('parts', name))} AS {_of('written', name)}" for name in _DECIMALS]
    flat = [f"{_is_flat(quoted(name), _of('map', name))} AS {_of('flat', name)}" for name in _KEY_VALUES]
    return f"SELECT *, {', '.join([*written, *flat])} FROM ({apart})"  # noqa: S608  # nosec B608


def _typed(query: str) -> str:
    """Everything in its type, and what a text was that has none."""
    columns = [f"{_value(it)} AS {quoted(it.name)}" for it in COLUMNS]
    ours = [f"{quoted(name)} AS {_of('given', name)}" for name in OURS]
    texts = [f"{quoted(it.name)} IS NOT NULL AS {_of('given', it.name)}" for it in COLUMNS if it.name in TYPE_RULES]
    flat = [_of("flat", name) for name in _KEY_VALUES]
    rounded = " OR ".join(f"coalesce({too_long(_of('written', name))}, false)" for name in _DECIMALS)
    return f"SELECT {', '.join([*columns, *ours, *texts, *flat, f'{rounded} AS rounded'])} FROM ({query})"  # noqa: S608  # nosec B608


def _value(column: Column) -> str:
    name = quoted(column.name)
    if column.kind is Kind.DECIMAL:
        return exact(name, _of("parts", column.name), _of("written", column.name))
    if column.kind is Kind.KEY_VALUE:
        return _in_order(_of("map", column.name))
    return f"(try_cast({name} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')" if column.kind is Kind.DATE_TIME else name


def _checked(query: str, source: str, calendar: BillingCalendar) -> str:
    """With what rules and tags say of a row, and what is wrong with it."""
    filled = [f"{_filled(it.name, calendar)} AS {quoted(it.name)}" for it in COLUMNS]
    ours = {
        SAGA_ID: _mark(MARK_SAGA, SAGA_ID),
        SAGA_RESOURCE_ID: _mark(MARK_RESOURCE, SAGA_RESOURCE_ID),
        SOURCE: literal(source),
    }
    added = [f"{ours[name]} AS {quoted(name)}" for name in OURS]
    wrong = [f"{_broken()} AS broken", f"{_unusable()} AS unusable"]
    return f"SELECT {', '.join([*filled, *added, *wrong])} FROM ({query})"  # noqa: S608  # nosec B608


def _broken() -> str:
    """The ids of the rules that values break which are not of their type, or have too many decimals."""
    broken = {rule: _mistyped(name) for name, rule in TYPE_RULES.items()} | {ROUNDED: "rounded"}
    ids = ", ".join(f"if({condition}, {literal(rule)}, NULL)" for rule, condition in broken.items())
    return f"CASE WHEN {' OR '.join(broken.values())} THEN list_distinct([{ids}]) END"


def _mistyped(name: str) -> str:
    mistyped = f"({_of('given', name)} AND {quoted(name)} IS NULL)"
    return f"({mistyped} OR {_of('flat', name)} = false)" if name in _KEY_VALUES else mistyped


def _unusable() -> str:
    """The first column that the row lacks and cannot do without."""
    cases = " ".join(f"WHEN {quoted(name)} IS NULL THEN {literal(name)}" for name in UNUSABLE)
    far = "year(\"ChargePeriodStart\") NOT BETWEEN 2000 AND 2999 THEN 'ChargePeriodStart'"
    return f"CASE {cases} WHEN {far} END"


def _filled(column: str, calendar: BillingCalendar) -> str:
    """A column, or what a rule or the source's calendar gives where it is missing."""
    name = quoted(column)
    if column == "BillingPeriodStart":
        return f"coalesce({name}, {_midnight(calendar, 0)})"
    if column == "BillingPeriodEnd":
        return f"coalesce({name}, {_midnight(calendar, 1)})"
    if column in ("ContractedCost", "EffectiveCost", "ListCost"):
        return f"""coalesce({name}, if("ChargeCategory" = 'Credit', "BilledCost", NULL))"""
    return name


def _midnight(calendar: BillingCalendar, months: int) -> str:
    """When the month of a charge begins in the calendar's own time, or the one after it, in UTC."""
    zone = literal(calendar.timezone)
    local = f"""("ChargePeriodStart" AT TIME ZONE 'UTC') AT TIME ZONE {zone}"""
    first = f"date_trunc('month', {local}) + INTERVAL {months} MONTH"
    return f"(({first}) AT TIME ZONE {zone}) AT TIME ZONE 'UTC'"


def _mark(mark: str, ours: str) -> str:
    tags = [f'"Tags"[{literal(spelling)}]' for spelling in _SPELLINGS[mark]]
    return f"coalesce({', '.join([*tags, _of('given', ours)])})"


def _map(text: str) -> str:
    return f"try_cast(try_cast({text} AS JSON) AS MAP(VARCHAR, VARCHAR))"


def _is_flat(text: str, pairs: str) -> str:
    """Whether no value is an object or an array; null where there are no pairs."""
    path = "'/' || replace(replace(it, '~', '~0'), '/', '~1')"
    types = f"list_transform(map_keys({pairs}), lambda it: json_type({text}, {path}))"
    suspicious = f"regexp_matches({text}, ':\\s*[\\[{{]')"
    return (
        f"CASE WHEN {pairs} IS NULL THEN NULL WHEN {suspicious} THEN NOT list_has_any({types}, ['OBJECT', 'ARRAY']) END"
    )


def _in_order(pairs: str) -> str:
    """By key, so that the same pairs are always the same."""
    return f"if(cardinality({pairs}) < 2, {pairs}, map_from_entries(list_sort(map_entries({pairs}))))"


def _of(what: str, column: str) -> str:
    return quoted(f"{what} {column}")
