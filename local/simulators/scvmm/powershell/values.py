"""What PowerShell's values are here: Python's own, lists, and things with properties; and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import translate
from re import IGNORECASE, fullmatch
from typing import Any, Final


class Unsupported(Exception):
    """The script uses something of PowerShell that is not simulated."""


class CmdletError(Exception):
    """What a cmdlet writes to the error stream: the number and name of its error, and what it says."""

    def __init__(self, error_id: str, message: str, reason: str = "CarmineException") -> None:
        super().__init__(message)
        self.error_id = error_id
        self.message = message
        self.reason = reason


class Thing:
    """An object: its .NET type, its properties, what it reads as, and what it stands for in the simulator."""

    def __init__(
        self, type_name: str, properties: Mapping[str, Any], text: str = "", subject: object | None = None
    ) -> None:
        self.type_name = type_name
        self.properties = dict(properties)
        self.text = text
        self.subject = subject
        self._by_lower_name = {name.lower(): name for name in properties}

    def get(self, name: str) -> Any:
        """The property of that name, in whatever case; $null for one that there is not."""
        actual = self._by_lower_name.get(name.lower())
        return None if actual is None else self.properties[actual]


def truth(value: Any) -> bool:
    """Whether a condition holds."""
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    return value is not None and value is not False and value not in ("", 0)


def text_of(value: Any) -> str:
    """What a value reads as."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case Thing():
            return value.text or value.type_name
        case str() | int() | float():
            return str(value)
        case _:
            raise Unsupported(f"a {type(value).__name__} as text")


def member(value: Any, name: str) -> Any:
    """A property of a value; arrays have only a Count, and $null has anything, which is $null."""
    if name.lower() == "count":
        return len(value) if isinstance(value, list) else int(value is not None)
    match value:
        case None:
            return None
        case Thing():
            return value.get(name)
        case _:
            raise Unsupported(f"the property {name} of a {type(value).__name__}")


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and not isinstance(right, list):
        return left.lower() == text_of(right).lower()
    if isinstance(left, bool) or isinstance(right, bool):
        return truth(left) == truth(right)
    if isinstance(left, int | float) and isinstance(right, str):
        return left == _number(right)
    if isinstance(left, list | Thing) or isinstance(right, list | Thing):
        raise Unsupported("comparing objects")
    return bool(left == right)


def _number(value: Any) -> float:
    if isinstance(value, bool | int | float):
        return float(value)
    if value is None:
        return 0.0
    try:
        return float(text_of(value))
    except ValueError:
        raise CmdletError(
            "InvalidCastFromStringToInteger",
            f'Cannot convert value "{value}" to type "System.Int32".',
            "RuntimeException",
        ) from None


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "-eq": _equal,
    "-ne": lambda left, right: not _equal(left, right),
    "-gt": lambda left, right: _number(left) > _number(right),
    "-ge": lambda left, right: _number(left) >= _number(right),
    "-lt": lambda left, right: _number(left) < _number(right),
    "-le": lambda left, right: _number(left) <= _number(right),
    "-like": lambda left, right: fullmatch(translate(text_of(right)), text_of(left), IGNORECASE) is not None,
}
