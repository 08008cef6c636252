from typing import Any

import pytest

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.intrinsics import compile_call
from local.stepfunctions.errors import Fault


def call(text: str, document: Any = None) -> Any:
    return compile_call(text)(document, Environment(dict, {}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Array()", []),
        ("States.Array($.a, 'b', 1.5, true, null)", [[1, 2, 3, 3], "b", 1.5, True, None]),
        ("States.ArrayPartition($.a, 3)", [[1, 2, 3], [3]]),
        ("States.ArrayContains($.a, 2)", True),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayGetItem($.a, 1)", 2),
        ("States.ArrayLength($.a)", 4),
        ("States.ArrayUnique($.a)", [1, 2, 3]),
        ("States.Base64Encode('Data')", "RGF0YQ=="),
        ("States.Base64Decode('RGF0YQ==')", "Data"),
        ("States.Hash('x', 'SHA-1')", "11f6ad8ec52a2984abaafd7c3b516503785c2072"),
        ("States.JsonMerge($.o, $.p, false)", {"k": 2, "l": 1}),
        ("States.StringToJson('{\"a\":1}')", {"a": 1}),
        ("States.JsonToString($.o)", '{"k":1,"l":1}'),
        ("States.MathAdd(1, -3)", -2),
        ("States.MathAdd(1.5, 0)", 2),
        ("States.MathAdd(-1.5, 0)", -1),
        ("States.StringSplit('a.b+c', '.+')", ["a", "b", "c"]),
        ("States.Format('{} is {}, not \\{\\}', 'it', $.a[0])", "it is 1, not {}"),
        ("States.Format('it\\'s {}', $.o)", "it's {k=1, l=1}"),
        ("States.Format('{}', States.ArrayLength($.a))", "4"),
    ],
)
def test_an_intrinsic_does_what_the_developer_guide_says(text: str, value: Any) -> None:
    assert call(text, {"a": [1, 2, 3, 3], "o": {"k": 1, "l": 1}, "p": {"k": 2}}) == value


def test_a_seeded_random_number_repeats_and_stays_in_range() -> None:
    numbers = {call("States.MathRandom(1, 10, 7)") for _ in range(5)}
    assert len(numbers) == 1
    assert 1 <= numbers.pop() < 10


def test_two_uuids_differ() -> None:
    assert call("States.UUID()") != call("States.UUID()")


@pytest.mark.parametrize(
    "text",
    [
        "States.ArrayGetItem($, 5)",
        "States.ArrayPartition($, 0)",
        "States.StringToJson('{')",
        "States.Format('{}')",
        "States.Base64Decode('%')",
        "States.Hash('x', 'CRC')",
        "States.JsonMerge($, $, false)",
    ],
)
def test_arguments_that_do_not_fit_are_an_intrinsic_failure(text: str) -> None:
    with pytest.raises(Fault) as caught:
        call(text, [1])
    assert caught.value.error == "States.IntrinsicFailure"


@pytest.mark.parametrize(
    "text", ["States.Nothing()", "States.Array(", "States.MathAdd(1)", "Format('x')", "States.Format('\\x{}', 1)"]
)
def test_a_call_that_does_not_parse_is_refused_when_it_is_compiled(text: str) -> None:
    with pytest.raises(ValueError, match=r"call|argument|function"):
        compile_call(text)
