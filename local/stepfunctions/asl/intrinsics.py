"""The grammar of intrinsic function calls, `States.Format('{}', $.a)`, compiled to closures."""

from __future__ import annotations

import re
from collections.abc import Callable

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.intrinsic_functions import FUNCTIONS, IntrinsicError
from local.stepfunctions.asl.jsonpath import Evaluate, compile_path
from local.stepfunctions.errors import Fault
from local.stepfunctions.jsontext import Json, loads

_CALL = re.compile(r"\s*(States\.[A-Za-z0-9]+)\s*\(")
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?=[,)])")
_WORD = re.compile(r"\s*(true|false|null)\s*(?=[,)])")
_STRING = re.compile(r"\s*'((?:[^'\\]|\\['\\{}])*)'\s*(?=[,)])")
_PATH = re.compile(r"\s*(\$(?:[^,()\[\]'\"\s]|\[(?:[^\[\]'\"]|'[^']*'|\"[^\"]*\"|\[[^\]]*\])*\]|\(\))*)\s*(?=[,)])")


def is_call(text: str) -> bool:
    """Whether a payload field's value is meant as an intrinsic function call."""
    return _CALL.match(text) is not None


def compile_call(text: str) -> Evaluate:
    """Compile a call; raises ValueError for anything that is not one, or names an unknown function."""
    evaluate, position = _call(text, 0)
    if text[position:].strip():
        raise ValueError(f"unexpected text after the call: {text[position:]}")
    return evaluate


def _call(text: str, position: int) -> tuple[Evaluate, int]:
    match = _CALL.match(text, position)
    if match is None:
        raise ValueError(f"not an intrinsic function call: {text}")
    function = FUNCTIONS.get(match.group(1))
    if function is None:
        raise ValueError(f"unknown intrinsic function {match.group(1)}")
    arguments, end = _arguments(text, match.end())
    minimum, maximum = function.arity
    if not minimum <= len(arguments) <= maximum:
        raise ValueError(f"{match.group(1)} does not take {len(arguments)} arguments")
    return _invocation(function.apply, tuple(arguments), text[match.start() : end].strip()), end


def _invocation(apply: Callable[..., Json], arguments: tuple[Evaluate, ...], text: str) -> Evaluate:
    def evaluate(document: Json, environment: Environment) -> Json:
        values = [argument(document, environment) for argument in arguments]
        try:
            return apply(environment, *values)
        except (IntrinsicError, OverflowError) as error:
            raise Fault(f"The function '{text}' had the following error: {error}", "States.IntrinsicFailure") from error

    return evaluate


def _arguments(text: str, position: int) -> tuple[list[Evaluate], int]:
    arguments: list[Evaluate] = []
    if closing := re.compile(r"\s*\)").match(text, position):
        return arguments, closing.end()
    while True:
        argument, position = _argument(text, position)
        arguments.append(argument)
        while position < len(text) and text[position].isspace():
            position += 1
        if position >= len(text) or text[position] not in ",)":
            raise ValueError(f"unfinished call: {text}")
        position += 1
        if text[position - 1] == ")":
            return arguments, position


def _argument(text: str, position: int) -> tuple[Evaluate, int]:
    if _CALL.match(text, position):
        return _call(text, position)
    if match := _STRING.match(text, position):
        return _constant(_unescape(match.group(1))), match.end()
    if match := _NUMBER.match(text, position) or _WORD.match(text, position):
        return _constant(loads(match.group(1))), match.end()
    if match := _PATH.match(text, position):
        return compile_path(match.group(1)).evaluate, match.end()
    raise ValueError(f"not an argument: {text[position:]}")


def _constant(value: Json) -> Evaluate:
    return lambda document, environment: value


def _unescape(text: str) -> str:
    """Undo an escaped quote; escaped braces and backslashes stay for States.Format, which gives them a meaning."""
    return text.replace("\\'", "'")
