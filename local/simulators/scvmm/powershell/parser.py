"""From pieces to a tree."""

from __future__ import annotations

from typing import Final

from local.simulators.scvmm.powershell.tokens import Token, tokens
from local.simulators.scvmm.powershell.tree import (
    Assignment,
    Binary,
    Block,
    Cast,
    Command,
    Expression,
    Flag,
    Gathered,
    If,
    Lambda,
    Literal,
    Member,
    Not,
    Parenthesis,
    Pipeline,
    Script,
    Statement,
    Table,
    Variable,
)
from local.simulators.scvmm.powershell.values import Unsupported

_CONSTANTS: Final = {"$true": True, "$false": False, "$null": None}
_LOGICAL: Final = frozenset({"-and", "-or"})
_COMPARING: Final = frozenset({"-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-like"})


def parse(text: str) -> Script:
    """The script that a text is; raises Unsupported."""
    return _Parser(tokens(text)).script()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._found = found
        self._at = 0

    def script(self) -> Script:
        self._skip_ends()
        parameters = self._parameters() if self._is("word", "param") else ()
        body = self._block(until=None)
        return Script(parameters, body)

    @property
    def _next(self) -> Token:
        return self._found[self._at]

    def _is(self, kind: str, text: str | None = None) -> bool:
        return self._next.kind == kind and (text is None or self._next.text.lower() == text)

    def _take(self, kind: str, text: str | None = None) -> Token:
        if not self._is(kind, text):
            raise Unsupported(f"{text or kind} expected, not {self._next.text!r}")
        self._at += 1
        return self._found[self._at - 1]

    def _skip_ends(self) -> None:
        while self._is("end") and self._at < len(self._found) - 1:
            self._at += 1

    def _parameters(self) -> tuple[str, ...]:
        self._take("word", "param")
        self._take("open", "(")
        names = []
        while not self._is("close", ")"):
            names.append(self._take("variable").text[1:].lower())
            if not self._is("close", ")"):
                self._take("mark", ",")
        self._take("close", ")")
        return tuple(names)

    def _block(self, until: str | None) -> Block:
        """Statements up to a closing bracket, which is taken, or to the end of the text."""
        statements: list[Statement] = []
        while True:
            self._skip_ends()
            if until is None and self._at == len(self._found) - 1:
                return tuple(statements)
            if until is not None and self._is("close", until):
                self._at += 1
                return tuple(statements)
            statements.append(self._statement())
            if not (self._is("end") or (until is not None and self._is("close", until))):
                raise Unsupported(f"{self._next.text!r} after a statement")

    def _statement(self) -> Statement:
        if self._is("word", "if"):
            return self._if()
        if self._is("variable") and self._found[self._at + 1][:2] == ("mark", "="):
            name = self._take("variable").text[1:].lower()
            self._at += 1
            return Assignment(name, self._pipeline())
        return self._pipeline()

    def _if(self) -> If:
        self._take("word", "if")
        self._take("open", "(")
        condition = self._pipeline()
        self._take("close", ")")
        self._take("open", "{")
        then = self._block("}")
        otherwise: Block = ()
        if self._is("word", "else"):
            self._at += 1
            self._take("open", "{")
            otherwise = self._block("}")
        return If(condition, then, otherwise)

    def _pipeline(self) -> Pipeline:
        stages: list[Command | Expression] = [self._command() if self._is("word") else self._expression()]
        while self._is("mark", "|"):
            self._at += 1
            stages.append(self._command())
        return Pipeline(tuple(stages))

    def _command(self) -> Command:
        name = self._take("word").text
        arguments: list[Flag | Expression] = []
        while not (self._is("end") or self._is("close") or self._is("mark", "|")):
            if self._is("flag"):
                arguments.append(Flag(self._take("flag").text[1:].lower()))
            elif self._is("word"):
                arguments.append(Literal(self._take("word").text))
            else:
                arguments.append(self._primary())
        return Command(name, tuple(arguments))

    def _expression(self) -> Expression:
        left = self._comparison()
        while self._is("flag") and self._next.text.lower() in _LOGICAL:
            operator = self._take("flag").text.lower()
            left = Binary(operator, left, self._comparison())
        return left

    def _comparison(self) -> Expression:
        left = self._unary()
        while self._is("flag") and self._next.text.lower() in _COMPARING:
            operator = self._take("flag").text.lower()
            left = Binary(operator, left, self._unary())
        return left

    def _unary(self) -> Expression:
        if self._is("flag", "-not"):
            self._at += 1
            return Not(self._unary())
        if self._is("cast"):
            return Cast(self._take("cast").text[1:-1].lower(), self._unary())
        return self._primary()

    def _primary(self) -> Expression:
        token = self._next
        self._at += 1
        match token.kind, token.text:
            case "variable", text:
                lower = text.lower()
                value: Expression = Literal(_CONSTANTS[lower]) if lower in _CONSTANTS else Variable(lower[1:])
            case "string", text:
                value = Literal(text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])
            case "number", text:
                value = Literal(int(text))
            case "open", "@(":
                value = Gathered(self._block(")"))
            case "open", "(":
                value = Parenthesis(self._pipeline())
                self._take("close", ")")
            case "open", "@{":
                value = self._table()
            case "open", "{":
                value = Lambda(self._block("}"))
            case _:
                raise Unsupported(f"{token.text!r} as a value")
        while self._is("member") and not self._next.apart:
            value = Member(value, self._take("member").text[1:])
        return value

    def _table(self) -> Table:
        entries = []
        self._skip_ends()
        while not self._is("close", "}"):
            key = self._take("word").text
            self._take("mark", "=")
            entries.append((key, self._expression()))
            self._skip_ends()
        self._take("close", "}")
        return Table(tuple(entries))
