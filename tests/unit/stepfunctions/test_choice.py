from typing import Any

import pytest

from local.stepfunctions.asl.choice import compile_rule
from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.errors import Fault

DOCUMENT = {
    "s": "abc*d",
    "n": 5,
    "f": 5.0,
    "t": True,
    "z": None,
    "when": "2024-01-01T10:00:00Z",
    "same": "2024-01-01T12:00:00+02:00",
}


def holds(rule: dict[str, Any]) -> bool:
    return compile_rule(rule)(DOCUMENT, Environment(dict, {}))


@pytest.mark.parametrize(
    ("variable", "operator", "value", "expected"),
    [
        ("$.s", "StringEquals", "abc*d", True),
        ("$.n", "StringEquals", "5", False),
        ("$.s", "StringLessThan", "abd", True),
        ("$.s", "StringMatches", "abc*", True),
        ("$.s", "StringMatches", "abc\\*d", True),
        ("$.s", "StringMatches", "ab\\*", False),
        ("$.n", "NumericEquals", 5.0, True),
        ("$.n", "NumericEqualsPath", "$.f", True),
        ("$.t", "NumericEquals", 1, False),
        ("$.n", "NumericGreaterThanEquals", 6, False),
        ("$.t", "BooleanEquals", True, True),
        ("$.n", "BooleanEquals", True, False),
        ("$.when", "TimestampEqualsPath", "$.same", True),
        ("$.when", "TimestampLessThan", "2024-01-01T10:00:01Z", True),
        ("$.s", "TimestampLessThan", "2024-01-01T10:00:01Z", False),
        ("$.z", "IsNull", True, True),
        ("$.n", "IsNumeric", True, True),
        ("$.t", "IsNumeric", False, True),
        ("$.when", "IsTimestamp", True, True),
        ("$.n", "IsString", False, True),
        ("$.none", "IsPresent", False, True),
        ("$.z", "IsPresent", True, True),
    ],
)
def test_an_operator_compares_only_what_is_of_its_type(
    variable: str, operator: str, value: Any, expected: bool
) -> None:
    assert holds({"Variable": variable, operator: value}) is expected


def test_and_or_and_not_combine() -> None:
    five = {"Variable": "$.n", "NumericEquals": 5}
    null = {"Variable": "$.n", "IsNull": True}
    assert holds({"And": [five, {"Not": null}]})
    assert holds({"Or": [null, five]})
    assert not holds({"And": [five, null]})


def test_a_variable_that_is_not_there_is_a_runtime_fault() -> None:
    with pytest.raises(Fault, match=r"Invalid path '\$\.none'"):
        holds({"Variable": "$.none", "StringEquals": "x"})
