import pytest

from local.stepfunctions.harness import Harness
from local.stepfunctions.jsontext import dumps, loads, too_large
from tests.unit.stepfunctions.machines import chain


@pytest.mark.parametrize("text", ["1.0", "1", '"ü"', '{"a":[1,2.50]}', "null", "-0.0"])
def test_numbers_and_characters_come_out_as_they_went_in(text: str) -> None:
    assert loads(dumps(loads(text))) == loads(text)


def test_an_integer_stays_one_and_a_double_stays_one() -> None:
    assert dumps(loads('{"i":1,"d":1.0}')) == '{"i":1,"d":1.0}'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "{", "'a'", ""])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_the_limit_is_256_kib_of_utf_8_not_of_characters() -> None:
    assert not too_large("x" * 256 * 1024)
    assert too_large("x" * (256 * 1024 + 1))
    assert too_large("ü" * 131_073)


def test_a_string_that_utf_8_cannot_carry_passes_through(stepfunctions: Harness) -> None:
    arn = stepfunctions.run(chain(P={"Type": "Pass"}), loads('{"lone":"\\ud800"}')).arn
    status, body = stepfunctions.engine.handle(
        "AWSStepFunctions.DescribeExecution", b'{"executionArn":"%s"}' % arn.encode()
    )
    assert status == 200
    assert loads(loads(body.decode())["output"]) == {"lone": "\ud800"}
