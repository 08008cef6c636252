"""The comparison that the deployed resources are held to: it must notice what was dropped or changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploys.comparing import differences


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"Timeout": 30}, {"timeout": "30", "more": 1}),
        ({"Enabled": True}, {"enabled": "true"}),
        ({"Threshold": 0}, {"Threshold": 0.0}),
        ({"MessageRetentionPeriod": 1209600}, {"MessageRetentionPeriod": "1209600"}),
        ({"Policy": {"Version": "2012-10-17"}}, {"Policy": '{"Version": "2012-10-17"}'}),
        ({"Actions": ["b", "a"]}, {"Actions": ["a", "b"]}),
    ],
)
def test_the_same_said_otherwise_is_no_difference(wanted: Any, found: Any) -> None:
    assert list(differences(wanted, found)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "where"),
    [
        ({"Layers": ["a"]}, {}, "Layers"),
        ({"Layers": ["a"]}, {"Layers": []}, "Layers[0]"),
        ({"Layers": ["a"]}, {"Layers": ["a", "b"]}, "Layers"),
        ({"Tracing": {"Mode": "Active"}}, {"Tracing": {"Mode": "PassThrough"}}, "Tracing.Mode"),
        ({"Index": [{"Name": "i", "Keys": ["k"]}]}, {"Index": [{"Name": "i"}]}, "Index[0]"),
        ({"Policy": {"Action": "a:*"}}, {"Policy": '{"Action": "a:b"}'}, "Policy.Action"),
        ({"Enabled": True}, {"Enabled": False}, "Enabled"),
    ],
)
def test_what_was_dropped_or_changed_is_named(wanted: Any, found: Any, where: str) -> None:
    (difference,) = differences(wanted, found)
    assert difference.startswith(f"{where}: ")
