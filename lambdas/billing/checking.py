"""The rules of FOCUS compiled into SQL, and what every window holds: its rows, their digest, sums and violations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from hashlib import sha256
from typing import Any, Final

from duckdb import DuckDBPyConnection

from lambdas.billing.normalising import WRITTEN
from lambdas.billing.reading import literal, quoted
from lambdas.core.billing.focus.columns import BY_NAME, Level, siblings
from lambdas.core.billing.focus.rules import RULES, Rule, Test
from lambdas.core.billing.focus.services import SERVICES
from lambdas.core.billing.windows import Contents

_EXACT: Final = Context(prec=80)

_TOLERANCE: Final = "0.000001"
"""How far a cost may be from price times quantity, absolutely or of the cost: clouds round prices for display."""


def broken(rule: Rule) -> str:
    """A predicate, never null, that holds for a row that breaks a rule."""
    return f"({' AND '.join([*map(holds, rule.when), f'NOT {holds(rule.must)}'])})"


def holds(test: Test) -> str:
    """A predicate, never null, that holds for a row for which a test holds; a null is nothing but null."""
    name = quoted(test.column)
    if test.relation == "is null":
        return f"({name} IS NULL)"
    if test.relation == "is not null":
        return f"({name} IS NOT NULL)"
    if test.relation == "is none of":
        return f"coalesce({name} NOT IN ({_values(test)}), true)"
    return f"coalesce({_compared(test, name)}, false)"


def _compared(test: Test, name: str) -> str:
    if test.relation == "is one of":
        return f"{name} IN ({_values(test)})"
    if test.relation == "is the product of":
        return _is_product(name, *map(quoted, test.to))
    if test.relation == "is a subcategory of":
        return _is_subcategory(name, *map(quoted, test.to))
    other = "".join(map(quoted, test.to))
    return {
        "is not negative": f"{name} >= 0",
        "is zero": f"{name} = 0",
        "is a currency code": f"regexp_full_match({name}, '[A-Z]{{3}}')",
        "equals": f"{name} = {other}",
        "is after": f"{name} > {other}",
    }[test.relation]


def _values(test: Test) -> str:
    return ", ".join(map(literal, test.to))


def _is_product(cost: str, price: str, quantity: str) -> str:
    """Doubles will do to tell that; their product would not fit a decimal, and no amount comes of it."""
    difference = f"abs({price}::DOUBLE * {quantity}::DOUBLE - {cost}::DOUBLE)"
    return f"{difference} <= {_TOLERANCE} * greatest(1, abs({cost}::DOUBLE))"


def _is_subcategory(subcategory: str, category: str) -> str:
    names = [
        f"({category} = {literal(parent)} AND {subcategory} IN ({', '.join(map(literal, children))}))"
        for parent, children in SERVICES.items()
    ]
    return f"({' OR '.join(names)})"


def contents(connection: DuckDBPyConnection, table: str) -> dict[datetime, Contents]:
    """What each window in a table of normalised rows holds."""
    billed = _billed(connection, table)
    violations = _mistyped(connection, table)
    found = {}
    for window, rows, digest, broken_rules in _counted(connection, table):
        counts = broken_rules | violations.get(window, {})
        found[window] = Contents(
            rows=rows, digest=digest, billed=billed[window], violations=dict(sorted(counts.items()))
        )
    return found


def _counted(connection: DuckDBPyConnection, table: str) -> Iterator[tuple[datetime, int, str, dict[str, int]]]:
    rules: dict[str, list[Rule]] = {}
    for rule in RULES:
        rules.setdefault(rule.id, []).append(rule)
    counts = ", ".join(_count(group) for group in rules.values())
    row = ", ".join(f"{literal(name)}: {quoted(name)}" for name in WRITTEN)
    sums = "count(*), sum(md5_number_lower(line)), sum(md5_number_upper(line)), bit_xor(md5_number_lower(line))"
    query = (
        f"SELECT window_start, {sums}, {counts} "  # noqa: S608 - our own rules  # nosec B608
        f"FROM (SELECT *, to_json({{{row}}}) AS line FROM {table}) GROUP BY window_start ORDER BY window_start"
    )
    for window, count, lower, upper, both, *broken_rows in connection.execute(query).fetchall():
        counted = {rule: number for rule, number in zip(rules, broken_rows, strict=True) if number}
        yield window.replace(tzinfo=UTC), count, _digest(count, lower, upper, both), counted


def _digest(*parts: Any) -> str:
    """Of all rows together: their order does not matter, but how often there is each does."""
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()[:32]


def _count(group: list[Rule]) -> str:
    """How many rows break any of the rules of one id."""
    column = BY_NAME[group[0].column]
    count = f"count(*) FILTER ({' OR '.join(map(broken, group))})"
    given = " OR ".join(f"{quoted(it.name)} IS NOT NULL" for it in siblings(column))
    return count if column.level is Level.MANDATORY else f"if(bool_or({given}), {count}, 0)"


def _billed(connection: DuckDBPyConnection, table: str) -> Mapping[datetime, dict[str, Decimal]]:
    """Exact sums: whole numbers and fractions apart, because together they could outgrow the type."""
    query = f"""
        SELECT window_start, "BillingCurrency", sum(whole), sum("BilledCost" - whole::DECIMAL(38, 20))
        FROM (SELECT *, trunc("BilledCost") AS whole FROM {table})
        GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 - a table of our own  # nosec B608
    sums: dict[datetime, dict[str, Decimal]] = {}
    for window, currency, whole, fraction in connection.execute(query).fetchall():
        total = _EXACT.add(Decimal(whole), Decimal(fraction))
        sums.setdefault(window.replace(tzinfo=UTC), {})[currency] = _plain(total)
    return sums


def _plain(amount: Decimal) -> Decimal:
    """The same number without zeros at its end, nor an exponent."""
    text = format(amount, "f")
    return Decimal(text.rstrip("0").rstrip(".") or "0") if "." in text else amount


def _mistyped(connection: DuckDBPyConnection, table: str) -> Mapping[datetime, dict[str, int]]:
    """What was found broken when values were given their types."""
    query = f"""
        SELECT window_start, rule, count(*)
        FROM (SELECT window_start, unnest(broken) AS rule FROM {table} WHERE broken IS NOT NULL)
        GROUP BY ALL
    """  # noqa: S608 - a table of our own  # nosec B608
    counts: dict[datetime, dict[str, int]] = {}
    for window, rule, count in connection.execute(query).fetchall():
        counts.setdefault(window.replace(tzinfo=UTC), {})[rule] = count
    return counts
