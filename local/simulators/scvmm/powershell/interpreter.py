"""Runs a script: statements one after the other, pipelines stage by stage, errors as the preference says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from local.simulators.scvmm.powershell.parser import parse
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
    Statement,
    Table,
    Variable,
)
from local.simulators.scvmm.powershell.values import (
    COMPARISONS,
    CmdletError,
    Thing,
    Unsupported,
    member,
    text_of,
    truth,
)

Cmdlets = Callable[[str, Sequence[tuple[str | None, Any]], list[Any]], Iterable[Any]]
"""Runs the cmdlet of a name with its arguments, flags without a value having True, on what is piped into it.

What it yields is its output; CmdletError is what it writes to the error stream.
"""

_COMMON: Final = "erroraction"


class Terminated(Exception):
    """An error ended the script."""

    def __init__(self, error: CmdletError) -> None:
        super().__init__(error.message)
        self.error = error


class Interpreter:
    """One run of one script. `errors` are those that did not end it.

    `is_switch(cmdlet, parameter)` says whether a parameter, in lower case, takes no value.
    """

    def __init__(self, cmdlets: Cmdlets, is_switch: Callable[[str, str], bool]) -> None:
        self._cmdlets = cmdlets
        self._is_switch = is_switch
        self._variables: dict[str, Any] = {"erroractionpreference": "Continue"}
        self.errors: list[CmdletError] = []

    def run(self, text: str, values: Mapping[str, Any]) -> list[Any]:
        """What the script says; raises Terminated, and Unsupported for what is not simulated."""
        script = parse(text)
        given = {name.lower(): value for name, value in values.items()}
        for name in given:
            if name not in script.parameters:
                raise Terminated(_unknown_parameter("script", name))
        self._variables.update({name: given.get(name) for name in script.parameters})
        return self._block(script.body)

    def set(self, name: str, value: Any) -> None:
        """Set a variable, as -JobVariable does."""
        self._variables[name.lower()] = value

    def _block(self, block: Block) -> list[Any]:
        said: list[Any] = []
        for statement in block:
            said += self._statement(statement)
        return said

    def _statement(self, statement: Statement) -> list[Any]:
        match statement:
            case Assignment(name, value):
                self._variables[name] = self._value(value)
                return []
            case If(condition, then, otherwise):
                return self._block(then if truth(self._value(condition)) else otherwise)
            case Pipeline():
                return self._pipeline(statement)

    def _value(self, pipeline: Pipeline) -> Any:
        """What a pipeline comes to where one value is needed: nothing, the only one, or an array."""
        first = pipeline.stages[0]
        if len(pipeline.stages) == 1 and not isinstance(first, Command):
            return self._evaluate(first)
        said = self._pipeline(pipeline)
        return said if len(said) > 1 else next(iter(said), None)

    def _pipeline(self, pipeline: Pipeline) -> list[Any]:
        first, *others = pipeline.stages
        said = self._command(first, []) if isinstance(first, Command) else _enumerated(self._evaluate(first))
        for stage in others:
            if not isinstance(stage, Command):
                raise Unsupported("an expression after |")
            said = self._command(stage, said)
        return said

    def _command(self, command: Command, piped: list[Any]) -> list[Any]:
        match command.name.lower(), command.arguments:
            case "where-object", (Lambda(block),):
                return [it for it in piped if truth(_one(self._each(block, it)))]
            case "foreach-object", (Lambda(block),):
                return [said for it in piped for said in self._each(block, it)]
            case "select-object", (Flag("first"), count):
                return piped[: int(self._evaluate(count))] if not isinstance(count, Flag) else piped
            case "out-null", ():
                return []
            case _:
                return self._cmdlet(command, piped)

    def _each(self, block: Block, item: Any) -> list[Any]:
        """What a block says of one item, which is `$_` inside, and what it was again after."""
        before = self._variables.get("_")
        self._variables["_"] = item
        try:
            return self._block(block)
        finally:
            self._variables["_"] = before

    def _cmdlet(self, command: Command, piped: list[Any]) -> list[Any]:
        arguments = self._arguments(command)
        preference = self._variables["erroractionpreference"]
        for name, value in arguments:
            preference = value if name == _COMMON else preference
        said: list[Any] = []
        try:
            said.extend(self._cmdlets(command.name, [it for it in arguments if it[0] != _COMMON], piped))
        except CmdletError as error:
            if text_of(preference).lower() == "stop":
                raise Terminated(error) from error
            if text_of(preference).lower() != "silentlycontinue":
                self.errors.append(error)
        return said

    def _arguments(self, command: Command) -> list[tuple[str | None, Any]]:
        """Each argument with its value; what stands by itself has no name."""
        pending = list(command.arguments)
        bound: list[tuple[str | None, Any]] = []
        while pending:
            argument = pending.pop(0)
            if not isinstance(argument, Flag):
                bound.append((None, self._evaluate(argument)))
            elif self._is_switch(command.name, argument.name):
                bound.append((argument.name, True))
            elif pending and not isinstance(pending[0], Flag):
                value = pending.pop(0)
                bound.append((argument.name, self._evaluate(value) if not isinstance(value, Flag) else None))
            else:
                raise Terminated(
                    CmdletError(
                        "MissingArgument", f"Missing an argument for '{argument.name}'.", "ParameterBindingException"
                    )
                )
        return bound

    def _evaluate(self, expression: Expression) -> Any:  # noqa: PLR0911 -- one line for each kind
        match expression:
            case Literal(value):
                return value
            case Variable(name):
                return self._variables.get(name)
            case Member(target, name):
                return member(self._evaluate(target), name)
            case Not(operand):
                return not truth(self._evaluate(operand))
            case Binary(operator, left, right):
                return self._binary(operator, left, right)
            case Gathered(block):
                return self._block(block)
            case Parenthesis(pipeline):
                return self._value(pipeline)
            case Cast(type_name, operand):
                return self._cast(type_name, operand)
            case Table() | Lambda():
                raise Unsupported("a table or a block as a value of its own")

    def _binary(self, operator: str, left: Expression, right: Expression) -> Any:
        match operator:
            case "-and":
                return truth(self._evaluate(left)) and truth(self._evaluate(right))
            case "-or":
                return truth(self._evaluate(left)) or truth(self._evaluate(right))
            case _:
                return COMPARISONS[operator](self._evaluate(left), self._evaluate(right))

    def _cast(self, type_name: str, operand: Expression) -> Any:
        match type_name, operand:
            case "pscustomobject", Table(entries):
                properties = {key: self._evaluate(value) for key, value in entries}
                return Thing("System.Management.Automation.PSCustomObject", properties)
            case "string", _:
                return text_of(self._evaluate(operand))
            case _:
                raise Unsupported(f"[{type_name}]")


def _enumerated(value: Any) -> list[Any]:
    """What goes down a pipeline: each of an array, and $null itself, as PowerShell has it."""
    return value if isinstance(value, list) else [value]


def _one(said: list[Any]) -> Any:
    return said if len(said) > 1 else next(iter(said), None)


def _unknown_parameter(command: str, name: str) -> CmdletError:
    message = f"A parameter cannot be found that matches parameter name '{name}'."
    return CmdletError(f"NamedParameterNotFound,{command}", message, "ParameterBindingException")
