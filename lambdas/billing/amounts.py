"""Numbers as text into decimals, exactly, in SQL: plain ones at once, others (`1.5E-7`) by their parts.

DuckDB's own cast rounds halves away from zero, and takes what is no number to FOCUS (`1_000`).
"""

from __future__ import annotations

from typing import Final

DECIMAL: Final = "DECIMAL(38, 20)"
"""What every amount, price and quantity is: 18 digits before the point, 20 behind it."""

_PLAIN: Final = r"-?[0-9]{1,18}(\.[0-9]{1,20})?"
_ANY: Final = r"^\s*([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]{1,3}))?\s*$"


def parts(text: str) -> str:
    """The parts of a number that is not plain, as strings: empty ones of what is no number, null of a plain one."""
    names = "['sign', 'whole', 'fraction', 'exponent']"
    return f"CASE WHEN NOT regexp_full_match({text}, '{_PLAIN}') THEN regexp_extract({text}, '{_ANY}', {names}) END"


def written_out(parts: str) -> str:
    """The same number with its point where it belongs and without zeros around it; null of what is no number."""
    digits = f"({parts}.whole || {parts}.fraction)"
    point = f"(length({parts}.whole) + coalesce(try_cast({parts}.exponent AS INTEGER), 0))"
    whole = f"left({digits} || repeat('0', greatest(0, {point} - length({digits}))), greatest(0, {point}))"
    fraction = f"repeat('0', greatest(0, -{point})) || substr({digits}, greatest(0, {point}) + 1)"
    number = f"{{'sign': {parts}.sign, 'whole': ltrim({whole}, '0'), 'fraction': rtrim({fraction}, '0')}}"
    return f"CASE WHEN {digits} <> '' THEN {number} END"


def too_long(written: str) -> str:
    """Whether there are more than 20 decimals."""
    return f"length({written}.fraction) > 20"


def exact(text: str, parts: str, written: str) -> str:
    """The number as a decimal, rounded half to even; null of what is none, or has more than 18 digits."""
    return f"CASE WHEN {parts} IS NULL THEN CAST({text} AS {DECIMAL}) ELSE {_rounded(written)} END"


def _rounded(written: str) -> str:
    kept = f"CAST({written}.whole || '.' || rpad({written}.fraction, 20, '0')[1:20] AS {DECIMAL})"
    rest = f"{written}.fraction[21:]"
    up = f"({rest} > '5' OR ({rest} = '5' AND contains('13579', {written}.fraction[20])))"
    unit = f"CAST(if({up}, '0.00000000000000000001', '0') AS {DECIMAL})"
    sign = f"CAST(if({written}.sign = '-', -1, 1) AS DECIMAL(1, 0))"
    return f"CASE WHEN length({written}.whole) <= 18 THEN try({sign} * ({kept} + {unit})) END"
