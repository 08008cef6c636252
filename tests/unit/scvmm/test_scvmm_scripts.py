"""The scripts are fixed text: nothing of a request is ever in them, whatever it says."""

from __future__ import annotations

import re
from typing import Final

import pytest

from lambdas.core.errors import StepError, TerminalError
from lambdas.core.marks import annotation
from lambdas.scvmm import scripts
from local.simulators.scvmm.powershell.parser import parse
from tests.unit.scvmm.vmm_server import VmmServer, intent, vmm_server

SCRIPTS: Final = {name: text for name, text in vars(scripts).items() if name.isupper() and not name.startswith("_")}
CHANGING: Final = {"New", "Set", "Expand", "Start", "Stop", "Remove"}

NASTY = [
    "'; Remove-SCVirtualMachine -VM (Get-SCVirtualMachine -Name dc01); '",
    '"; Stop-Computer; "',
    "$(Remove-Item C:\\ -Recurse)",
    "`n Remove-SCVirtualMachine",
    "${env:USERNAME}",
    "a' -or $true -or 'a",
    "*",
    "|<>&;\u2018\u2019\u201c\u201d",
]
"""Among them the typographic quotes, which PowerShell takes for quotes in text of its own."""


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_stops_at_the_first_error_and_says_which_server_it_means(name: str) -> None:
    text = SCRIPTS[name]
    assert text.startswith("param(")
    assert "$ErrorActionPreference = 'Stop'\n" in text
    assert parse(text).parameters
    assert not re.search(r"Invoke-Expression|iex|ScriptBlock]::|Add-Type", text)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_only_what_is_said_to_change_something_does(name: str) -> None:
    verbs = {verb for verb in re.findall(r"\b([A-Z][a-z]+)-SC", SCRIPTS[name]) if verb != "Get"}
    assert verbs <= CHANGING
    assert bool(verbs) == (name in {"CREATE", "ADJUST", "START", "STOP", "REMOVE"})


@pytest.mark.parametrize("name", ["ADJUST", "START", "STOP", "REMOVE"])
def test_nothing_is_done_to_a_machine_that_does_not_carry_the_mark(name: str, vmm: VmmServer) -> None:
    foreign = next(it for it in vmm.simulator.inventory() if it["name"] == "dc01")
    values = {"Id": foreign["id"], "Pattern": f"*{annotation({'skysaga-saga': 's0test0000000001'})}*"}
    group = {"JobGroup": foreign["id"], "DiskGb": 500, "NetworkName": ""} if name == "ADJUST" else {}
    assert vmm.shells.run(SCRIPTS[name], **values, **group) == []
    assert vmm.status("dc01") == ["Running"]


def test_nothing_is_removed_by_force_which_would_leave_it_on_its_host() -> None:
    assert "-Force" not in scripts.REMOVE


@pytest.mark.parametrize("value", NASTY)
def test_a_value_that_looks_like_code_is_a_value(value: str, vmm: VmmServer) -> None:
    before = vmm.simulator.inventory()
    with pytest.raises(TerminalError, match="NoTemplate"):
        vmm.provider.create(intent(image=value), "machine")
    with pytest.raises(TerminalError, match="NoNetwork"):
        vmm.provider.create(intent(network=value), "machine")
    assert vmm.simulator.inventory() == before


@pytest.mark.parametrize("value", NASTY)
def test_a_label_that_looks_like_code_is_written_down_as_it_is(value: str, vmm: VmmServer) -> None:
    vmm.provision(intent(labels={"note": value}))
    ours = next(it for it in vmm.simulator.inventory() if it["name"] == "s0test0000000001-web")
    assert ours["marks"]["note"] == value
    assert vmm.status("dc01") == ["Running"]


@pytest.mark.parametrize("value", NASTY)
def test_the_text_that_is_sent_is_the_same_for_every_request(value: str) -> None:
    with vmm_server() as vmm:
        seen: list[bytes] = []
        inner = vmm.server._server.app

        def app(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI's own signature
            seen.append(environ["wsgi.input"].getvalue())
            return inner(environ, start_response)

        vmm.server._server.app = app
        with pytest.raises(StepError):
            vmm.provider.create(intent(image=value), "machine")
    texts = {scripts.LOOK, scripts.PLACES}
    assert {text for body in seen for text in texts if _said(text, body)} == texts


def _said(text: str, body: bytes) -> bool:
    """Whether a request carries a script as it stands."""
    from local.simulators.scvmm import wsman  # noqa: PLC0415
    from local.simulators.scvmm.psrp import scripts_in  # noqa: PLC0415

    return scripts_in(wsman.read(body).fragments).replace("_x000A_", "\n") == text
