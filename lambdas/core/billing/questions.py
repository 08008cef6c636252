"""What may be asked about costs: grouped by what, of which days, and of which part of everything.

A day is one of UTC, and a charge is of the day that it begins in. A month is the one that it is billed in, by the
calendar of its source: that is what an invoice says.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from lambdas.core.errors import FieldError, RequestError

DIMENSIONS: Final = ("saga", "provider", "service", "account", "region", "source", "day", "month")
"""What costs can be grouped by, besides the labels of what they are for."""

FILTERS: Final = ("saga", "provider", "service", "account", "region", "source", "month")
"""What a question can be limited to, besides a label."""

LABEL: Final = "label:"

MOST_GROUPS: Final = 4
MOST_VALUES: Final = 100
MOST_DAYS: Final = 400
_LONGEST_TEXT: Final = 256

_WHOLE: Final = frozenset({"service"})
"""What may have a comma in its name, and so is one value."""

_PARAMETERS: Final = frozenset({"group_by", "from", "to", "label", *FILTERS})
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class Label(NamedTuple):
    """A tag or label, and the value that it has."""

    key: str
    value: str


class Scope(NamedTuple):
    """A part of all costs: everything of `days`, of any of the values of each filter, that carries the label.

    `days` are the first and the last; `filters` are by name, one of FILTERS.
    """

    days: tuple[date, date] | None = None
    filters: Mapping[str, tuple[str, ...]] = {}
    label: Label | None = None


class Question(NamedTuple):
    """The costs of a scope, by currency and by `groups`: each is one of DIMENSIONS, or `label:KEY`."""

    groups: tuple[str, ...]
    scope: Scope


def parse_question(parameters: Mapping[str, str], today: date) -> Question:
    """The question that parameters ask: of this month until today, unless they say otherwise.

    Raises RequestError with everything that is wrong.
    """
    return _Parsing(parameters, today).question()


class _Parsing:
    def __init__(self, parameters: Mapping[str, str], today: date) -> None:
        self._parameters = parameters
        self._today = today
        self._errors: list[FieldError] = []

    def question(self) -> Question:
        groups = self._groups()
        filters = {name: self._values(name) for name in FILTERS if name in self._parameters}
        scope = Scope(self._days(), filters, self._label())
        self._check_months(filters.get("month", ()))
        for name in sorted(set(self._parameters) - _PARAMETERS):
            self._wrong(name, f"unknown parameter{_nearby(name, _PARAMETERS)}")
        if self._errors:
            raise RequestError(self._errors)
        return Question(groups, scope)

    def _groups(self) -> tuple[str, ...]:
        groups = _split(self._parameters.get("group_by", ""))
        if len(groups) > MOST_GROUPS:
            self._wrong("group_by", f"names {len(groups)} things; at most {MOST_GROUPS} can be combined")
        for group in groups:
            key = group.removeprefix(LABEL) if group.startswith(LABEL) else None
            if key is not None and not _usable(key):
                self._wrong("group_by", "name the label, as in label:team")
            elif key is None and group not in DIMENSIONS:
                known = f"{', '.join(DIMENSIONS)}, or label:KEY"
                self._wrong("group_by", f"{group!r} is not one of {known}{_nearby(group, DIMENSIONS)}")
        return tuple(dict.fromkeys(groups))

    def _days(self) -> tuple[date, date] | None:
        if "month" in self._parameters and not {"from", "to"} & set(self._parameters):
            return None
        last = self._day("to") or self._today
        first = self._day("from") or last.replace(day=1)
        if first > last:
            self._wrong("from", f"{first} is after {last}, the last day; give an earlier one, or a later `to`")
        elif (last - first).days >= MOST_DAYS:
            self._wrong("from", f"at most {MOST_DAYS} days can be asked for at once; {first} is more before {last}")
        return first, last

    def _day(self, name: str) -> date | None:
        value = self._parameters.get(name)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if len(value) == len("2026-11-01") else None
        except ValueError:
            day = None
        if day is None or not 2000 <= day.year < 2200:
            self._wrong(name, "must be a day, as in 2026-11-01")
            return None
        return day

    def _values(self, name: str) -> tuple[str, ...]:
        value = self._parameters[name]
        values = (value.strip(),) if name in _WHOLE else tuple(_split(value))
        if not values or not all(map(_usable, values)):
            self._wrong(name, f"must be some text of at most {_LONGEST_TEXT} printable characters")
        if len(values) > MOST_VALUES:
            self._wrong(name, f"names {len(values)}; at most {MOST_VALUES} can be asked for at once")
        return values

    def _check_months(self, months: tuple[str, ...]) -> None:
        if not all(_MONTH.fullmatch(it) for it in months):
            self._wrong("month", "must be a month, as in 2026-11")

    def _label(self) -> Label | None:
        value = self._parameters.get("label")
        if value is None:
            return None
        label = parse_label(value)
        if label is None:
            self._wrong("label", "must be key=value")
        return label

    def _wrong(self, field: str, reason: str) -> None:
        self._errors.append(FieldError(field, reason))


def parse_label(text: str) -> Label | None:
    """The label that `key=value` names; None for any other text."""
    key, equals, value = text.partition("=")
    return Label(key, value) if equals and _usable(key) and (value == "" or _usable(value)) else None


def months_from(day: date) -> str:
    """The first month that a charge of a day or later may be billed in: elsewhere it may still be the day before."""
    return (day - timedelta(days=1)).strftime("%Y-%m")


def _split(value: str) -> list[str]:
    return [it for it in map(str.strip, value.split(",")) if it]


def _usable(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_TEXT and text.isprintable()


def _nearby(name: str, known: Iterator[str] | frozenset[str] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=2)
    return f"; did you mean {' or '.join(near)}?" if near else ""
