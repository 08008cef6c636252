"""Questions about costs as SQL that Athena understands, and DuckDB too.

Whatever a caller wrote gets into a statement through `literal` and in no other way. In a string of Trino's only the
quote has a meaning, and two of them are one: https://trino.io/docs/current/language/types.html#varchar
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from lambdas.core.billing.questions import LABEL, Question, Scope, months_from
from lambdas.core.billing.rates import PROVIDERS

AMOUNTS: Final = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")

_DIMENSIONS: Final = {
    "saga": "x_SagaId",
    "provider": "ProviderName",
    "service": "ServiceName",
    "account": "COALESCE(SubAccountId, BillingAccountId)",
    "region": "RegionId",
    "source": '"source"',
    "day": "CAST(CAST(ChargePeriodStart AS date) AS varchar)",
    "month": "billing_period",
}

_SUMS: Final = ("BillingCurrency", "SUM(BilledCost)", "SUM(EffectiveCost)", "CAST(MAX(ChargePeriodEnd) AS varchar)")
_SUMMED_BY: Final = "1, 2, 3, 4"

_TIMES: Final = ("day", "month")

_NAMES: Final = {
    "aws": ("aws", "amazon web services"),
    "azure": ("azure", "microsoft", "microsoft azure"),
    "gcp": ("gcp", "google cloud", "google cloud platform"),
    **{name: (name, called.lower()) for name, called in PROVIDERS.items()},
}
"""What providers are called in bills, in lower case, by our own names for them."""


def literal(text: str) -> str:
    """Any text as a string of SQL; raises ValueError for what is no text."""
    if "\0" in text:
        raise ValueError("no text has a NUL in it")
    text.encode()  # a lone surrogate is no text either
    return "'" + text.replace("'", "''") + "'"


def table_name(database: str, table: str) -> str:
    """The name of a table, whatever characters are in it."""
    return ".".join('"' + it.replace('"', '""') + '"' for it in (database, table))


def question_sql(question: Question, table: str) -> str:
    """Each group in each currency: the keys, the currency, and AMOUNTS; times first, then what costs most."""
    keys = [_expression(group) for group in question.groups]
    count = len(keys) + 1
    groups = ", ".join(str(number) for number in range(1, count + 1))
    times = [str(number) for number, group in enumerate(question.groups, 1) if group in _TIMES]
    others = [f"{number} ASC NULLS LAST" for number in range(1, count + 1) if str(number) not in times]
    order = ", ".join([*times, f"{count + 1} DESC NULLS LAST", *others])
    columns = [*keys, "BillingCurrency", *(f"SUM({it})" for it in AMOUNTS)]
    return f"{_select(columns, table, _all_of(question.scope), groups)} ORDER BY {order}"


def summary_sql(since: str, scopes: Mapping[str, Scope], table: str) -> str:
    """One row for each saga, month and currency, and one for each scope and currency, told apart by the first column.

    The columns are `kind`, name, month, currency, billed, effective, and the end of the newest charge. Scopes are all
    found in one pass: a part of the query for each would be more stages than Trino allows.
    """
    of_sagas = f"x_SagaId IS NOT NULL AND billing_period >= {literal(since)}"
    sagas = _select(["'saga'", "x_SagaId", "billing_period", *_SUMS], table, of_sagas, _SUMMED_BY)
    if not scopes:
        return sagas
    names = [f"CASE WHEN {_all_of(it)} THEN {literal(name)} END" for name, it in sorted(scopes.items())]
    scoped = f"{table} CROSS JOIN UNNEST(ARRAY[{', '.join(names)}]) AS scopes (scope)"
    where = " AND ".join(["scope IS NOT NULL", *_months_of(scopes.values())])
    spent = _select(["'scope'", "scope", "''", *_SUMS], scoped, where, _SUMMED_BY)
    return f"{sagas} UNION ALL {spent}"


def _select(columns: Sequence[str], table: str, where: str, groups: str) -> str:
    return " ".join(("SELECT", ", ".join(columns), "FROM", table, "WHERE", where, "GROUP BY", groups))


def _months_of(scopes: Iterable[Scope]) -> Iterator[str]:
    """Only to spare Athena the files of other months, where no scope needs them."""
    limits = [it.filters.get("month") for it in scopes]
    months = {month for limit in limits for month in limit or ()}
    if months and None not in limits:
        yield f"billing_period IN ({', '.join(map(literal, sorted(months)))})"


def _expression(group: str) -> str:
    return _tag(group.removeprefix(LABEL)) if group.startswith(LABEL) else _DIMENSIONS[group]


def _tag(key: str) -> str:
    return f"element_at(Tags, {literal(key)})"


def _all_of(scope: Scope) -> str:
    conditions = [*_within(scope.days), *_filtered(scope.filters)]
    if scope.label is not None:
        conditions.append(f"{_tag(scope.label.key)} = {literal(scope.label.value)}")
    return " AND ".join(conditions) or "TRUE"


def _within(days: tuple[date, date] | None) -> Iterator[str]:
    if days is None:
        return
    first, last = days
    # Only to spare Athena the files of older months: a charge is never billed for a month that ended before it.
    yield f"billing_period >= {literal(months_from(first))}"
    yield f"ChargePeriodStart >= TIMESTAMP '{first.isoformat()} 00:00:00'"
    yield f"ChargePeriodStart < TIMESTAMP '{(last + timedelta(days=1)).isoformat()} 00:00:00'"


def _filtered(filters: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, values in sorted(filters.items()):
        wanted = values if name != "provider" else [it for value in values for it in _provider_names(value)]
        expression = f"LOWER({_DIMENSIONS[name]})" if name == "provider" else _DIMENSIONS[name]
        # Nothing is in an empty list, which SQL has no way to write.
        yield f"{expression} IN ({', '.join(map(literal, wanted))})" if wanted else "FALSE"


def _provider_names(value: str) -> tuple[str, ...]:
    return _NAMES.get(value.lower(), (value.lower(),))
