"""Which events match a pattern, comparison by comparison."""

from __future__ import annotations

from typing import Any

import pytest

from local.event_pump.errors import NotSupported
from local.event_pump.patterns import compile_pattern

EVENT: dict[str, Any] = {
    "source": "aws.states",
    "detail": {
        "status": "FAILED",
        "name": "Saga.png",
        "count": 5,
        "ratio": 3.0e2,
        "flag": True,
        "nothing": None,
        "empty": "",
        "address": "10.0.0.17",
        "path": "dir/lib/file*",
        "tags": ["a", "b"],
        "items": [{"id": 1}, {"id": 2}],
    },
}


def matches(detail: dict[str, Any]) -> bool:
    return compile_pattern({"detail": detail})(EVENT)


@pytest.mark.parametrize(
    ("wanted", "others"),
    [
        ({"status": ["FAILED", "ABORTED"]}, {"status": ["ABORTED"]}),
        ({"count": [5]}, {"count": ["5"]}),
        ({"ratio": [300]}, {"ratio": [301]}),
        ({"flag": [True]}, {"flag": [1]}),
        ({"nothing": [None]}, {"nothing": [""]}),
        ({"empty": [""]}, {"status": [""]}),
        ({"status": [{"prefix": "FAI"}]}, {"status": [{"prefix": "fai"}]}),
        (
            {"status": [{"prefix": {"equals-ignore-case": "fai"}}]},
            {"status": [{"prefix": {"equals-ignore-case": "x"}}]},
        ),
        ({"name": [{"suffix": ".png"}]}, {"name": [{"suffix": ".PNG"}]}),
        ({"name": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"name": [{"suffix": "Saga"}]}),
        ({"status": [{"equals-ignore-case": "failed"}]}, {"status": [{"equals-ignore-case": "fail"}]}),
        ({"path": [{"wildcard": "dir/*/file*"}]}, {"path": [{"wildcard": "*/bin/*"}]}),
        ({"path": [{"wildcard": "*file\\*"}]}, {"name": [{"wildcard": "*\\*"}]}),
        ({"status": [{"anything-but": "OK"}]}, {"status": [{"anything-but": "FAILED"}]}),
        ({"status": [{"anything-but": ["OK", "NO"]}]}, {"status": [{"anything-but": ["OK", "FAILED"]}]}),
        ({"count": [{"anything-but": 4}]}, {"count": [{"anything-but": [4, 5]}]}),
        ({"status": [{"anything-but": {"prefix": "OK"}}]}, {"status": [{"anything-but": {"prefix": "FA"}}]}),
        ({"name": [{"anything-but": {"suffix": ".gif"}}]}, {"name": [{"anything-but": {"suffix": ".png"}}]}),
        ({"path": [{"anything-but": {"wildcard": "*x*"}}]}, {"path": [{"anything-but": {"wildcard": "*/lib/*"}}]}),
        (
            {"status": [{"anything-but": {"equals-ignore-case": "ok"}}]},
            {"status": [{"anything-but": {"equals-ignore-case": ["failed", "ok"]}}]},
        ),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, {"count": [{"numeric": ["<", 5]}]}),
        ({"count": [{"numeric": ["=", 5]}]}, {"status": [{"numeric": [">", 0]}]}),
        ({"address": [{"cidr": "10.0.0.0/24"}]}, {"address": [{"cidr": "10.0.1.0/24"}]}),
        ({"status": [{"exists": True}]}, {"missing": [{"exists": True}]}),
        ({"missing": [{"exists": False}]}, {"status": [{"exists": False}]}),
        ({"tags": ["b"]}, {"tags": ["c"]}),
        ({"items": {"id": [2]}}, {"items": {"id": [3]}}),
        ({"$or": [{"count": [9]}, {"status": ["FAILED"]}]}, {"$or": [{"count": [9]}, {"status": ["OK"]}]}),
        ({"status": ["FAILED"], "count": [5]}, {"status": ["FAILED"], "count": [6]}),
    ],
)
def test_a_comparison_takes_what_it_is_for_and_nothing_else(wanted: dict[str, Any], others: dict[str, Any]) -> None:
    assert matches(wanted)
    assert not matches(others)


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ({}, "root"),
        ({"detail": "FAILED"}, "detail"),
        ({"detail": {"status": [{"contains": "x"}]}}, "contains"),
        ({"detail": {"status": [{"prefix": "a", "suffix": "b"}]}}, "one comparison"),
        ({"detail": {"count": [{"numeric": ["~", 1]}]}}, "numeric"),
        ({"detail": {"count": [{"wildcard": {"equals-ignore-case": "x"}}]}}, "wildcard"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(pattern: dict[str, Any], named: str) -> None:
    with pytest.raises(NotSupported, match=named):
        compile_pattern(pattern)
