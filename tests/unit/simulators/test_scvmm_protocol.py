"""The simulated VMM server's WSMan: who comes in, faults, shells, and what may be looked at from outside."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator

import pytest
import requests

from lambdas.core.errors import RetryableError
from local.simulators.faults import FaultKind
from local.simulators.scvmm import wsman
from tests.contract.scvmm_cloud import USER
from tests.unit.scvmm.vmm_server import VmmServer, intent, vmm_server

PASSWORD = "local-only"
TIMEOUT = 5


@pytest.fixture
def vmm() -> Iterator[VmmServer]:
    with vmm_server() as vmm:
        yield vmm


def envelope(action: str, shell_id: str = "", body: str = "") -> str:
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>' if shell_id else ""
    return (
        f'<s:Envelope xmlns:s="{wsman.SOAP}" xmlns:a="{wsman.ADDRESSING}" xmlns:w="{wsman.WSMAN}" '
        f'xmlns:rsp="{wsman.SHELL}"><s:Header><a:Action>{wsman.SHELL}/{action}</a:Action>'
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>{selector}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def post(vmm: VmmServer, body: str, user: str = USER, password: str = PASSWORD) -> requests.Response:
    url = f"{vmm.server.url}/wsman"
    return requests.post(url, body.encode(), auth=(user, password), timeout=TIMEOUT)


def open_shell(vmm: VmmServer) -> str:
    """The id of the shell that the provider has opened."""
    vmm.provider.find(intent())
    (shell_id,) = vmm.simulator._shells
    return shell_id


def test_without_a_login_it_is_said_which_ones_there_are(vmm: VmmServer) -> None:
    answer = requests.post(f"{vmm.server.url}/wsman", b"", timeout=TIMEOUT)
    assert answer.status_code == 401
    assert "Negotiate" in answer.headers["WWW-Authenticate"]
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert vmm.simulator.log == []


@pytest.mark.parametrize("login", [(USER, "wrong"), ("nobody", PASSWORD), (USER, "")])
def test_a_login_that_is_wrong_does_not_come_in(vmm: VmmServer, login: tuple[str, str]) -> None:
    assert post(vmm, envelope("Receive"), *login).status_code == 401


@pytest.mark.parametrize("token", [b"NTLMSSP\0rubbish", b"rubbish"])
def test_a_token_that_is_none_does_not_come_in(vmm: VmmServer, token: bytes) -> None:
    headers = {"Authorization": "Negotiate " + base64.b64encode(token).decode()}
    answer = requests.post(f"{vmm.server.url}/wsman", b"", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("no xml", wsman.SCHEMA_VALIDATION),
        (envelope("Receive"), wsman.NO_SUCH_SHELL),
        (envelope("Command", str(uuid.uuid4())), wsman.NO_SUCH_SHELL),
        (envelope("Create"), wsman.SCHEMA_VALIDATION),
    ],
)
def test_what_cannot_be_is_a_fault_with_wsmans_number(vmm: VmmServer, body: str, code: int) -> None:
    answer = post(vmm, body)
    assert answer.status_code == 500
    assert f'Code="{code}"' in answer.text


def test_a_shell_belongs_to_whoever_opened_it(vmm: VmmServer) -> None:
    vmm.simulator.users["other"] = "pass"
    answer = post(vmm, envelope("Get", open_shell(vmm)), "other", "pass")
    assert f'Code="{wsman.ACCESS_DENIED}"' in answer.text


def test_a_shell_can_be_looked_at_and_ended(vmm: VmmServer) -> None:
    shell_id = open_shell(vmm)
    assert "Connected" in post(vmm, envelope("Get", shell_id)).text
    assert post(vmm, envelope("Delete", shell_id)).status_code == 200
    assert f'Code="{wsman.NO_SUCH_SHELL}"' in post(vmm, envelope("Get", shell_id)).text


def test_what_is_not_simulated_is_a_fault(vmm: VmmServer) -> None:
    answer = post(vmm, envelope("Disconnect", open_shell(vmm)))
    assert "Disconnect is not simulated" in answer.text


def test_a_receive_without_anything_to_say_times_out(vmm: VmmServer) -> None:
    desired = f'<rsp:Receive><rsp:DesiredStream CommandId="{uuid.uuid4()}">stdout</rsp:DesiredStream></rsp:Receive>'
    answer = post(vmm, envelope("Receive", open_shell(vmm), desired))
    assert f'Code="{wsman.TIMED_OUT}"' in answer.text


@pytest.mark.parametrize("fault", [FaultKind.QUOTE])
def test_a_fault_may_quote_what_was_sent(vmm: VmmServer, fault: FaultKind) -> None:
    shell_id = open_shell(vmm)
    vmm.arm("Shell.Get", fault)
    body = envelope("Get", shell_id)
    answer = post(vmm, body)
    assert f'Code="{wsman.SCHEMA_VALIDATION}"' in answer.text
    assert shell_id in answer.text.partition("schema definition")[2]


def test_a_command_is_called_by_the_cmdlet_that_matters(vmm: VmmServer) -> None:
    vmm.provision(intent(disk_gb=40))
    vmm.provider.delete(intent())
    named = [call.operation for call in vmm.simulator.log if not call.operation.startswith("Shell.")]
    assert list(dict.fromkeys(named)) == [
        "Get-SCVirtualMachine",
        "Get-SCVMHostCluster",
        "New-SCVirtualMachine",
        "Get-SCJob",
        "Set-SCVirtualMachine",
        "Start-SCVirtualMachine",
        "Stop-SCVirtualMachine",
    ]


def test_a_stale_read_does_not_show_what_was_created_lately(vmm: VmmServer) -> None:
    vmm.provision(intent())
    vmm.arm("Get-*", FaultKind.STALE, times=None, delay=3600)
    assert vmm.provider.find(intent()) == []


def test_everything_that_exists_can_be_listed_from_outside(vmm: VmmServer) -> None:
    vmm.provision(intent(labels={"team": "payments"}))
    listed = requests.get(f"{vmm.server.url}/_simulator/resources", timeout=TIMEOUT).json()
    assert sorted(it["name"] for it in listed) == ["dc01", "files01", "s0test0000000001-web", "sql01"]
    ours = next(it for it in listed if it["marks"].get("skysaga-resource") == "web")
    assert (ours["type"], ours["status"], ours["marks"]["team"]) == ("machine", "Running", "payments")


def test_faults_are_armed_from_outside(vmm: VmmServer) -> None:
    faults = [{"operation": "Get-SCVirtualMachine", "fault": "refuse"}]
    requests.post(f"{vmm.server.url}/_simulator/faults", json=faults, timeout=TIMEOUT)
    with pytest.raises(RetryableError):
        vmm.provider.find(intent())
    assert vmm.provider.find(intent()) == []


def test_the_same_calls_at_the_same_moments_come_to_the_same() -> None:
    def machines() -> list[dict[str, object]]:
        with vmm_server(SCVMM_AUTH="ntlm") as vmm:
            vmm.provision(intent())
            vmm.provision(intent("api", disk_gb=50))
            return vmm.simulator.inventory()

    assert machines() == machines()
