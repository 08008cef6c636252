"""As much of PowerShell as is simulated, and that the rest of it is an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from local.simulators.scvmm.powershell import CmdletError, Interpreter, Thing, Unsupported
from local.simulators.scvmm.powershell.interpreter import Terminated

PEOPLE = [
    Thing("Person", {"Name": "Ada", "Age": 36, "Home": Thing("Town", {"Name": "London"}, "London")}, "Ada"),
    Thing("Person", {"Name": "Grace", "Age": 85, "Home": None}, "Grace"),
]


def cmdlets(name: str, arguments: Sequence[tuple[str | None, Any]], piped: list[Any]) -> Iterable[Any]:
    match name.lower():
        case "get-person":
            yield from PEOPLE
        case "get-arguments":
            yield Thing("Arguments", {str(key): value for key, value in arguments})
        case "fail-after":
            yield 1
            raise CmdletError("801,Fail", "no such thing")
        case _:
            raise CmdletError("CommandNotFoundException", name)


def interpreter() -> Interpreter:
    return Interpreter(cmdlets, lambda _, parameter: parameter == "all")


def run(script: str, **values: Any) -> list[Any]:
    return interpreter().run(script, values)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("'it''s'", ["it's"]),
        ('"plain"', ["plain"]),
        ("$a = 7\n$a", [7]),
        ("$A = 7; $a", [7]),
        ("# nothing\n1 # one", [1]),
        ("Get-Person | ForEach-Object { $_.Name }", ["Ada", "Grace"]),
        ("Get-Person | Where-Object { $_.age -gt 40 } | ForEach-Object { $_.NAME }", ["Grace"]),
        ("Get-Person | Select-Object -First 1 | ForEach-Object { $_.Name }", ["Ada"]),
        ("(Get-Person | Select-Object -First 1).Home.Name", ["London"]),
        ("Get-Person | Out-Null", []),
        ("$people = @(Get-Person)\n$people.Count", [2]),
        ("$none = @(Get-Person | Where-Object { $_.Age -lt 0 })\n$none.Count", [0]),
        ("$one = Get-Person | Where-Object { $_.Name -eq 'ada' }\n$one.Count", [1]),
        ("$nobody.Home.Name.Count", [0]),
        ("[string]$nobody", [""]),
        ("Get-Person | ForEach-Object { [string]$_.Home }", ["London", ""]),
        ("if ($true -and -not $false) { 1 } else { 2 }", [1]),
        ("if (@()) { 1 } else { 2 }", [2]),
        ("if ('') { 1 }", []),
        ("'Running' -eq 'running'", [True]),
        ("'abc' -like 'A*'", [True]),
        ("'abc' -like 'b*'", [False]),
        ("$null -eq 0", [False]),
        ("7 -eq '7'", [True]),
        ("1 -ge 1 -and 1 -le 1 -and 1 -ne 2", [True]),
        ("'b' -eq 'c' -or 2 -gt 1", [True]),
        ("$null | ForEach-Object { 'once' }", ["once"]),
        ("@() | ForEach-Object { 'never' }", []),
        ("Get-Person |\n ForEach-Object { 1 }".replace("|\n", "| "), [1, 1]),
        ("Get-Person `\n | Select-Object -First 1 | ForEach-Object { $_.Age }", [36]),
    ],
)
def test_what_a_script_says(script: str, said: list[Any]) -> None:
    assert run(script) == said


def test_a_block_inside_a_block_has_an_item_of_its_own() -> None:
    script = "Get-Person | ForEach-Object {\n$a = $_\n@(1) | ForEach-Object { $_ }\n$_.Name\n}"
    assert run(script) == [1, "Ada", 1, "Grace"]


def test_an_object_is_made_with_its_properties_in_order() -> None:
    (made,) = run("[pscustomobject]@{ B = 1; A = 'x'\n C = [string]7 }")
    assert list(made.properties.items()) == [("B", 1), ("A", "x"), ("C", "7")]


def test_parameters_are_values_whatever_they_look_like() -> None:
    script = "param($Name, $Absent)\n$Name\nif ($Absent) { 'there' }"
    assert run(script, name="$(Fail-After); 'x'") == ["$(Fail-After); 'x'"]


def test_a_parameter_that_a_script_does_not_have_is_an_error() -> None:
    with pytest.raises(Terminated, match="'other'"):
        run("param($Name)\n$Name", Other=1)


def test_a_switch_takes_no_value_and_any_other_parameter_takes_the_next() -> None:
    (given,) = run("Get-Arguments -All -Name 'x' -Flag $false")
    assert given.properties == {"all": True, "name": "x", "flag": False}


def test_a_parameter_without_its_value_is_an_error() -> None:
    with pytest.raises(Terminated, match="Missing an argument"):
        run("Get-Arguments -Name -All")


def test_by_default_an_error_is_noted_and_the_script_goes_on() -> None:
    running = interpreter()
    assert running.run("Fail-After\n2", {}) == [1, 2]
    assert [it.error_id for it in running.errors] == ["801,Fail"]


@pytest.mark.parametrize(
    "script", ["$ErrorActionPreference = 'Stop'\nFail-After\n2", "Fail-After -ErrorAction Stop\n2"]
)
def test_an_error_ends_the_script_where_it_is_told_to(script: str) -> None:
    with pytest.raises(Terminated) as ended:
        run(script)
    assert ended.value.error.error_id == "801,Fail"


def test_an_error_can_be_passed_over_in_silence() -> None:
    running = interpreter()
    assert running.run("Fail-After -ErrorAction SilentlyContinue\n2", {}) == [1, 2]
    assert running.errors == []


@pytest.mark.parametrize(
    "script",
    [
        '"a $variable"',
        "$a[0]",
        "$a++",
        "1 + 1",
        "function f { 1 }",
        "while ($true) { 1 }",
        "foreach ($a in $b) { $a }",
        "try { 1 } catch { 2 }",
        "[int]7",
        "[math]::Round(1)",
        "'a'.ToUpper()",
        "1 | 2",
        "@{ A = 1 }",
        "{ 1 }",
        "'x'.Length",
        "@(1, 2)",
        "& 'Get-Person'",
        "Get-Person > file",
        "Get-Person; )",
        "if (1) { 2",
        "@(Get-Person) -eq 1",
    ],
)
def test_anything_else_is_an_error(script: str) -> None:
    with pytest.raises((Unsupported, Terminated)):
        run("$ErrorActionPreference = 'Stop'\n" + script)


def test_text_that_is_no_number_is_no_number() -> None:
    with pytest.raises(CmdletError, match="Cannot convert"):
        run("1 -gt 'x'")
