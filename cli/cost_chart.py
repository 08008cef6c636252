"""Costs as tables with bars: one column for each currency, and each on a scale of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from cli.output import printable

_TIMES: Final = ("day", "month")
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"
_CREDIT: Final = "░"

_SHORTEST_BAR: Final = 8
_LONGEST_BAR: Final = 40
_LONGEST_KEY: Final = 36
_GAP: Final = 2

_EXACT: Final = Context(prec=60)
_CENT: Final = Decimal("0.01")

Keys = tuple[str | None, ...]
Amounts = Mapping[Keys, Decimal]


def charts(groups: Sequence[str], items: Sequence[Mapping[str, Any]], width: int) -> Iterator[Table]:
    """The billed costs by group: as many currencies side by side as the width has room for, the others below."""
    by_currency = _by_currency(groups, items)
    keys = _in_order(groups, by_currency)
    headings = [_heading(group, [key[number] for key in keys]) for number, group in enumerate(groups)]
    room = width - sum(headings) - _GAP * len(headings)
    wide = {currency: _amount_width(currency, amounts) for currency, amounts in by_currency.items()}
    for currencies in _fitting(wide, room):
        used = sum(wide[it] + 2 * _GAP for it in currencies)
        bar = max(_SHORTEST_BAR, min(_LONGEST_BAR, (room - used) // len(currencies)))
        yield _table(groups, headings, keys, {it: by_currency[it] for it in currencies}, bar)


def bar_of(share: float, width: int) -> str:
    """A bar as long as a share of a width, to an eighth of a character; shaded for what was credited."""
    eighths = round(min(1.0, abs(share)) * width * 8)
    if share < 0:
        return _CREDIT * max(1, round(eighths / 8))
    whole, rest = divmod(eighths, 8)
    return (_FULL * whole + (_EIGHTHS[rest] if rest else "")) or (_EIGHTHS[1] if share > 0 else "")


def money(amount: Decimal) -> str:
    """An amount for people, to the cent: what is less than half of one is still not nothing."""
    if 0 < abs(amount) < _CENT / 2:
        return "<0.01" if amount > 0 else ">-0.01"
    return f"{amount.quantize(_CENT, ROUND_HALF_EVEN, _EXACT):,}"


def _by_currency(groups: Sequence[str], items: Sequence[Mapping[str, Any]]) -> dict[str, dict[Keys, Decimal]]:
    found: dict[str, dict[Keys, Decimal]] = {}
    for item in items:
        key = tuple(item["keys"][group] for group in groups)
        amounts = found.setdefault(item["currency"], {})
        amounts[key] = _EXACT.add(amounts.get(key, Decimal(0)), Decimal(item["billed"] or 0))
    return dict(sorted(found.items()))


def _in_order(groups: Sequence[str], by_currency: Mapping[str, Amounts]) -> list[Keys]:
    """Times first; then what costs most in any currency, by its share of that currency."""
    shares: dict[Keys, float] = {}
    for amounts in by_currency.values():
        most = _most(amounts)
        for key, amount in amounts.items():
            shares[key] = max(shares.get(key, -1.0), float(amount / most) if most else 0.0)
    times = [number for number, group in enumerate(groups) if group in _TIMES]
    return sorted(shares, key=lambda key: ([key[it] or "" for it in times], -shares[key], [it or "" for it in key]))


def _fitting(wide: Mapping[str, int], room: int) -> Iterator[list[str]]:
    row: list[str] = []
    left = room
    for currency, width in wide.items():
        needed = width + _SHORTEST_BAR + 2 * _GAP
        if row and needed > left:
            yield row
            row, left = [], room
        row.append(currency)
        left -= needed
    if row:
        yield row


def _table(
    groups: Sequence[str], headings: Sequence[int], keys: Sequence[Keys], shown_in: Mapping[str, Amounts], bar: int
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0), show_footer=len(keys) > 1)
    for number, (group, width) in enumerate(zip(groups, headings, strict=True)):
        footer = "in all" if number == 0 else ""
        table.add_column(Text(_title(group)), footer=footer, no_wrap=True, overflow="ellipsis", max_width=width)
    for currency, amounts in shown_in.items():
        total = Decimal(0)
        for amount in amounts.values():
            total = _EXACT.add(total, amount)
        table.add_column(Text(currency), footer=money(total), justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, width=bar)
    for key in keys:
        if any(key in amounts for amounts in shown_in.values()):
            table.add_row(*_row(groups, key, shown_in, bar))
    return table


def _row(groups: Sequence[str], key: Keys, shown_in: Mapping[str, Amounts], bar: int) -> Iterator[Text]:
    for group, value in zip(groups, key, strict=True):
        yield Text(printable(value)) if value else Text(_nothing(group), style="dim")
    for amounts in shown_in.values():
        amount, most = amounts.get(key), _most(amounts)
        yield Text(money(amount) if amount is not None else "")
        yield Text(bar_of(float(amount / most), bar) if amount is not None and most else "", style="cyan")


def _most(amounts: Amounts) -> Decimal:
    return max(map(abs, amounts.values()), default=Decimal(0))


def _title(group: str) -> str:
    return printable(group.removeprefix("label:")).upper()


def _nothing(group: str) -> str:
    return "(no label)" if group.startswith("label:") else f"(no {group})"


def _heading(group: str, values: Sequence[str | None]) -> int:
    longest = max((len(value) if value else len(_nothing(group)) for value in values), default=0)
    return min(_LONGEST_KEY, max(longest, len(_title(group)), len("in all")))


def _amount_width(currency: str, amounts: Amounts) -> int:
    total = sum(map(abs, amounts.values()), Decimal(0))
    return max(len(currency), len(money(total)) + 1)
