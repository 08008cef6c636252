import pytest

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.jsonpath import PathNotFoundError, ReferencePath, compile_path

DOCUMENT = {
    "a": [{"b": 1, "tag": "x"}, {"b": 2, "tag": "y"}],
    "deep": {"a": {"b": 3}},
    "odd name": 4,
    "n": None,
}
SURROUNDINGS = Environment(lambda: {"Execution": {"Id": "one"}}, {"v": {"k": [7]}})


def find(path: str) -> object:
    return compile_path(path).evaluate(DOCUMENT, SURROUNDINGS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.a[0].b", 1),
        ("$.a[-1].b", 2),
        ("$['odd name']", 4),
        ("$.n", None),
        ("$.a[*].b", [1, 2]),
        ("$.a[0:1].b", [1]),
        ("$.a[0,1].b", [1, 2]),
        ("$..b", [1, 2, 3]),
        ("$.a[?(@.b > 1)].tag", ["y"]),
        ("$.a[?(@.tag == 'x' || @.b == 2)].b", [1, 2]),
        ("$.a[?(@.missing)]", []),
        ("$.a.length()", 2),
        ("$$.Execution.Id", "one"),
        ("$v.k[0]", 7),
    ],
)
def test_a_path_yields_what_jayway_yields(path: str, value: object) -> None:
    assert find(path) == value


def test_a_definite_path_yields_a_value_and_not_a_list() -> None:
    assert find("$.a[0].tag") == "x"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$.none", "No results for path: $['none']"),
        ("$.no.such.path", "Missing property in path $['no']"),
        ("$.a[9]", "No results for path: $['a'][9]"),
        ("$none", "No results for path: $['none']"),
    ],
)
def test_a_missing_property_is_worded_as_jayway_words_it(path: str, words: str) -> None:
    with pytest.raises(PathNotFoundError) as caught:
        find(path)
    assert str(caught.value) == words


@pytest.mark.parametrize("text", ["a.b", "$.", "$.a[", "$.a[x]", "$.a b", "$.a.nosuch()"])
def test_what_is_not_a_path_is_refused_when_it_is_compiled(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSONPath|unknown function"):
        compile_path(text)


def test_a_result_is_put_into_a_copy() -> None:
    document = {"a": {"b": 1}}
    assert ReferencePath("$.a.c").put(document, 2) == {"a": {"b": 1, "c": 2}}
    assert document == {"a": {"b": 1}}


def test_a_result_path_makes_the_objects_on_its_way() -> None:
    assert ReferencePath("$.x.y").put({}, 1) == {"x": {"y": 1}}


def test_a_result_cannot_be_put_into_something_that_is_no_object() -> None:
    with pytest.raises(PathNotFoundError):
        ReferencePath("$.x").put([1], 1)
