"""JSONPath filter expressions, `[?(@.price < 10 && @.kind == 'book')]`, compiled to predicates."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from local.stepfunctions.jsontext import Json

Operand = Callable[[Json, Json], Json]
Predicate = Callable[[Json, Json], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||==|!=|<=|>=|=~|<|>|!|\(|\))
    |(?P<path>[@$](?:\.\.?[A-Za-z0-9_*-]+|\[[^\]]*\])*)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<regex>/(?:[^/\\]|\\.)+/i?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<word>true|false|null|in|nin))""",
    re.VERBOSE,
)
_NOTHING = object()
_ORDER: dict[str, Callable[[Json, Json], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def compile_filter(text: str) -> Predicate:
    """A predicate over (item, document); raises ValueError for what is not a filter."""
    parser = _Parser(text)
    predicate = parser.disjunction()
    if parser.tokens:
        raise ValueError(f"unexpected {parser.tokens[0][1]!r} in filter {text}")
    return predicate


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"cannot read filter {text}")
            self.tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            position = match.end()

    def _take(self, *values: str) -> str | None:
        if self.tokens and self.tokens[0][1] in values and self.tokens[0][0] in ("op", "word"):
            return self.tokens.pop(0)[1]
        return None

    def disjunction(self) -> Predicate:
        left = self.conjunction()
        while self._take("||"):
            left = _either(left, self.conjunction())
        return left

    def conjunction(self) -> Predicate:
        left = self.negation()
        while self._take("&&"):
            left = _both(left, self.negation())
        return left

    def negation(self) -> Predicate:
        if self._take("!"):
            inner = self.negation()
            return lambda item, document: not inner(item, document)
        if self._take("("):
            inner = self.disjunction()
            if not self._take(")"):
                raise ValueError(f"missing ) in filter {self.text}")
            return inner
        return self.comparison()

    def comparison(self) -> Predicate:
        left = self.operand()
        sign = self._take("==", "!=", "<", ">", "<=", ">=", "=~", "in", "nin")
        if sign is None:
            return lambda item, document: left(item, document) is not _NOTHING
        return _comparison(left, sign, self.operand())

    def operand(self) -> Operand:
        if not self.tokens:
            raise ValueError(f"unfinished filter {self.text}")
        kind, value = self.tokens.pop(0)
        if kind == "path":
            return _path_operand(value)
        constant = _constant(kind, value, self.text)
        return lambda item, document: constant


def _constant(kind: str, value: str, text: str) -> Json:
    if kind == "string":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    if kind == "regex":
        return re.compile(value.rstrip("i")[1:-1], re.IGNORECASE if value.endswith("i") else 0)
    if kind == "number":
        return float(value) if any(sign in value for sign in ".eE") else int(value)
    if kind == "word" and value in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[value]
    raise ValueError(f"unexpected {value!r} in filter {text}")


def _path_operand(text: str) -> Operand:
    from local.stepfunctions.asl import jsonpath  # noqa: PLC0415 - a path may hold a filter and a filter a path
    from local.stepfunctions.asl.environment import Environment  # noqa: PLC0415

    nowhere = Environment(dict, {})
    path = jsonpath.compile_path("$" + text[1:])
    of_item = text.startswith("@")

    def evaluate(item: Json, document: Json) -> Json:
        try:
            return path.evaluate(item if of_item else document, nowhere)
        except jsonpath.PathNotFoundError:
            return _NOTHING

    return evaluate


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda item, document: left(item, document) or right(item, document)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda item, document: left(item, document) and right(item, document)


def _comparison(left: Operand, sign: str, right: Operand) -> Predicate:
    return lambda item, document: _compare(left(item, document), sign, right(item, document))


def _compare(left: Json, sign: str, right: Json) -> bool:
    if sign == "==":
        return left is not _NOTHING and _same(left, right)
    if sign == "!=":
        return not _same(left, right)
    if left is _NOTHING or right is _NOTHING:
        return False
    if sign == "=~":
        return isinstance(left, str) and right.search(left) is not None
    if sign in ("in", "nin"):
        return (isinstance(right, list) and left in right) == (sign == "in")
    return _ordered(left, right) and _ORDER[sign](left, right)


def _same(left: Json, right: Json) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _ordered(left: Json, right: Json) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    return numbers or (isinstance(left, str) and isinstance(right, str))
