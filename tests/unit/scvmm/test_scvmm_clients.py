"""Shells on a VMM server: kept, lost, opened again, and with whose login."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambdas.core.errors import RetryableError, StepError, TerminalError
from local.simulators.faults import FaultKind
from local.simulators.scvmm import ScvmmTiming
from tests.contract.scvmm_cloud import USER
from tests.unit.scvmm.tls import tls_in_front_of
from tests.unit.scvmm.vmm_server import VmmServer, vmm_server

CLUSTERS = "Get-SCVMHostCluster | ForEach-Object { [pscustomobject]@{ Kind = 'cluster'; Name = $_.Name } }"
SIGNED_IN = ["basic", "ntlm", "negotiate"]


def names(vmm: VmmServer) -> list[str]:
    return [record["Name"] for record in vmm.shells.run(CLUSTERS)]


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_script_runs_and_its_shell_is_kept(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth) as vmm:
        assert names(vmm) == names(vmm) == ["HVCL01", "HVCL02"]
        assert vmm.calls("Shell.Create") == 1
        assert vmm.vault.reads == 1


def test_ntlm_without_tls_encrypts_what_is_said() -> None:
    with vmm_server(SCVMM_AUTH="ntlm") as vmm:
        seen: list[bytes] = []
        listen(vmm, seen)
        assert names(vmm) == ["HVCL01", "HVCL02"]
        assert any(b"Encrypted Boundary" in body for body in seen)
        assert not any(b"CommandLine" in body for body in seen)


def listen(vmm: VmmServer, seen: list[bytes]) -> None:
    """Note what arrives on the wire."""
    inner = vmm.server._server.app

    def app(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI's own signature
        body = environ["wsgi.input"].read()
        seen.append(body)
        environ["wsgi.input"].seek(0)
        return inner(environ, start_response)

    vmm.server._server.app = app


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_shell_that_timed_out_on_the_server_is_opened_again_once(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth) as vmm:
        names(vmm)
        vmm.clock.advance(301)
        assert names(vmm) == ["HVCL01", "HVCL02"]
        assert vmm.calls("Shell.Create") == 2


def test_a_shell_that_is_gone_at_once_again_is_an_error_that_is_retried(vmm: VmmServer) -> None:
    names(vmm)
    vmm.clock.advance(301)
    vmm.arm("Get-SCVMHostCluster", FaultKind.SLOW, times=None, delay=400)
    with pytest.raises(RetryableError, match="ShellGone"):
        names(vmm)


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_connection_that_was_closed_while_nobody_used_it_is_noticed_before_anything_is_sent(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth, SCVMM_CHECK_AFTER="0") as vmm:
        names(vmm)
        vmm.server._server.close_connections()
        assert names(vmm) == ["HVCL01", "HVCL02"]


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_connection_that_was_closed_just_now_is_no_reason_to_give_up(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth) as vmm:
        names(vmm)
        vmm.server._server.close_connections()
        try:
            names(vmm)
        except RetryableError:
            assert names(vmm) == ["HVCL01", "HVCL02"]


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_password_that_was_rotated_is_taken_up_without_anybody_being_told(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth) as vmm:
        names(vmm)
        vmm.simulator.users[USER] = "another"
        vmm.vault.login = {"username": USER, "password": "another"}
        vmm.clock.advance(301)
        assert names(vmm) == ["HVCL01", "HVCL02"]
        assert vmm.vault.reads == 2


def test_a_user_that_was_replaced_is_taken_up_in_the_middle_of_a_shells_life(vmm: VmmServer) -> None:
    names(vmm)
    del vmm.simulator.users[USER]
    vmm.simulator.users["rotated"] = "another"
    vmm.vault.login = {"username": "rotated", "password": "another"}
    assert names(vmm) == ["HVCL01", "HVCL02"]


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_password_that_is_wrong_is_an_error_that_names_neither_it_nor_the_user(auth: str) -> None:
    with vmm_server(SCVMM_AUTH=auth) as vmm:
        vmm.vault.login = {"username": USER, "password": "mistaken"}
        with pytest.raises(TerminalError) as raised:
            names(vmm)
        assert raised.value.code == "AuthenticationError"
        assert "mistaken" not in str(raised.value)
        assert "skysaga" not in str(raised.value)


def test_basic_without_tls_is_refused_unless_nobody_listens() -> None:
    with vmm_server(SCVMM_PLAIN_BASIC="false") as vmm:
        with pytest.raises(TerminalError, match="in the clear"):
            names(vmm)
        assert vmm.simulator.log == []


@pytest.mark.parametrize("url", ["vmm01.corp", "ftp://vmm01.corp", "https://"])
def test_what_is_no_url_of_an_endpoint_is_told_to_the_operator(url: str) -> None:
    with vmm_server(url=url) as vmm, pytest.raises(TerminalError, match="not the URL of a WSMan endpoint"):
        names(vmm)


@pytest.mark.parametrize("auth", SIGNED_IN)
def test_a_private_authority_is_believed_when_the_secret_names_it(auth: str) -> None:
    with vmm_server() as behind, tls_in_front_of(behind.server.port) as (port, authority):
        url = f"https://localhost:{port}/wsman"
        with vmm_server(url=url, SCVMM_AUTH=auth, SCVMM_PLAIN_BASIC="false") as vmm:
            vmm.vault.login = {**vmm.vault.login, "ca_certificate": authority}
            assert names(vmm) == ["HVCL01", "HVCL02"]


def test_an_authority_that_nobody_named_is_not_believed() -> None:
    with vmm_server() as behind, tls_in_front_of(behind.server.port) as (port, _):
        with vmm_server(url=f"https://localhost:{port}/wsman") as vmm, pytest.raises(TerminalError, match="SSLError"):
            names(vmm)
        assert behind.simulator.log == []


def test_an_error_that_did_not_end_the_script_counts(vmm: VmmServer) -> None:
    script = "Get-SCJob -ID '00000000-0000-0000-0000-000000000001'\n" + CLUSTERS
    with pytest.raises(StepError, match="VMM cannot find Task") as raised:
        vmm.shells.run(script)
    assert raised.value.code == "801"
    assert names(vmm) == ["HVCL01", "HVCL02"]
    assert vmm.calls("Shell.Create") == 1


def test_a_reply_that_was_lost_leaves_the_outcome_unknown_and_another_shell_does_the_next(vmm: VmmServer) -> None:
    vmm.arm("Shell.Receive", FaultKind.LOST, times=2)
    with pytest.raises(RetryableError):
        names(vmm)
    with pytest.raises(RetryableError):
        names(vmm)
    assert names(vmm) == ["HVCL01", "HVCL02"]


def test_what_winrm_has_no_room_for_is_retried_in_the_same_shell(vmm: VmmServer) -> None:
    names(vmm)
    vmm.arm("Get-SCVMHostCluster", FaultKind.THROTTLE)
    with pytest.raises(RetryableError, match="2150859174"):
        names(vmm)
    assert names(vmm) == ["HVCL01", "HVCL02"]
    assert vmm.calls("Shell.Create") == 1


def test_too_many_shells_are_an_error_that_is_retried() -> None:
    with vmm_server(timing=ScvmmTiming(shells_per_user=0)) as vmm, pytest.raises(RetryableError, match="2150859173"):
        names(vmm)


def test_a_script_that_does_not_end_in_time_is_given_up_with_its_outcome_unknown() -> None:
    with vmm_server(SCVMM_SCRIPT_TIMEOUT="0.000001") as vmm:
        names(vmm)
        vmm.arm("Shell.Receive", FaultKind.TWICE)  # so that the first answer reaches nobody, and the next has nothing
        with pytest.raises(RetryableError, match="Unanswered"):
            names(vmm)


def test_scripts_that_run_at_a_time_have_a_shell_each() -> None:
    with vmm_server() as vmm:
        together = threading.Barrier(4)

        def look(_: int) -> list[str]:
            together.wait()
            return names(vmm)

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(look, range(4))) == [["HVCL01", "HVCL02"]] * 4
        before = vmm.calls("Shell.Create")
        names(vmm)
        assert vmm.calls("Shell.Create") == before <= 4
