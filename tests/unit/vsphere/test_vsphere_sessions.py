"""Signing in: once for as long as it lasts, with whatever the secret says now, to nobody but the right server."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.serving import make_server

from lambdas.core.errors import RetryableError, TerminalError
from local.clock import VirtualClock
from local.simulators.faults import FaultKind
from local.simulators.vsphere import VsphereSimulator, create_app
from tests.contract.vsphere_cloud import PASSWORD, USER, Vault, cluster_settings, vsphere_provider
from tests.unit.vsphere.conftest import World


def test_a_session_is_kept_and_shared_by_the_clusters_of_a_server(world: World) -> None:
    provider = world.provider()
    for cluster in ("cl01", "cl02", "cl01"):
        provider.survey(cluster)
    assert world.calls("Login") == 1
    assert world.vault.reads == 1


def test_a_session_that_expired_is_opened_again_once_without_anybody_noticing(world: World) -> None:
    provider = world.provider()
    intent = world.made(provider, world.intent(), until="machine")
    world.clock.advance(world.simulator.estate.settings.session_idle + 1)
    assert provider.observe(intent, "machine").ready
    assert world.calls("Login") == 2


def test_a_clone_that_meets_an_expired_session_is_made_once(world: World) -> None:
    provider = world.provider()
    provider.survey("cl02")
    world.simulator.sessions.end_all()
    world.made(provider, world.intent())
    assert len([it for it in world.simulator.inventory() if it["marks"]]) == 1


def test_a_password_that_was_rotated_is_taken_up_without_anybody_being_told(world: World) -> None:
    provider = world.provider()
    provider.survey("cl02")
    world.simulator.sessions.passwords[USER] = ("new",)
    world.simulator.sessions.end_all()
    world.vault.logins["vcenter"] = {"username": USER, "password": "new"}
    assert provider.survey("cl02").report.hosts
    assert world.vault.reads == 2


def test_a_session_outlives_the_password_it_was_opened_with(world: World) -> None:
    provider = world.provider()
    provider.survey("cl02")
    world.simulator.sessions.passwords[USER] = ("new",)
    assert provider.survey("cl02").report.hosts
    assert world.calls("Login") == 1


def test_a_password_that_is_wrong_is_tried_once_and_told_without_it(world: World) -> None:
    world.vault.logins["vcenter"] = {"username": USER, "password": "S3cret-and-wrong"}
    with pytest.raises(
        TerminalError, match=r"InvalidLogin: .* does not accept the login in the secret vcenter"
    ) as told:
        world.provider().survey("cl02")
    assert world.calls("Login") == 1
    assert "S3cret" not in str(told.value)


def test_a_refusal_that_quotes_the_login_is_not_repeated(world: World) -> None:
    world.arm("Login", FaultKind.QUOTE)
    with pytest.raises(TerminalError) as told:
        world.provider().survey("cl02")
    assert PASSWORD not in str(told.value).replace("vsphere.local", "")
    assert "Login" not in str(told.value)


@pytest.mark.parametrize("fault", [FaultKind.REFUSE, FaultKind.ERROR, FaultKind.THROTTLE, FaultKind.LOST])
def test_a_server_that_lets_nobody_in_just_now_is_asked_again(world: World, fault: FaultKind) -> None:
    world.arm("Login", fault)
    provider = world.provider()
    with pytest.raises(RetryableError):
        provider.survey("cl02")
    assert provider.survey("cl02").report.hosts


def test_a_session_that_ends_as_soon_as_it_begins_is_no_endless_loop(world: World) -> None:
    provider = world.provider()
    provider.survey("cl02")
    world.clock.advance(10)
    world.simulator.sessions = type(world.simulator.sessions)({USER: (PASSWORD,)}, idle_seconds=-1)
    with pytest.raises(RetryableError, match="NotAuthenticated"):
        provider.survey("cl02")
    assert world.calls("Login") == 2


def test_a_server_that_answers_too_slowly_is_an_unknown_outcome(world: World) -> None:
    world.simulator._sleep = time.sleep
    world.arm("RetrievePropertiesEx", FaultKind.SLOW, delay=0.5)
    with pytest.raises(RetryableError, match="nobody knows"):
        world.provider(VSPHERE_TIMEOUT=0.1).survey("cl02")


def test_a_server_that_is_no_url_is_the_operators_move(world: World) -> None:
    with pytest.raises(TerminalError, match="Misconfigured: the server of the cluster cl02 must be an https:// URL"):
        world.provider(cluster_settings("vcenter.example.com")).survey("cl02")


class Authority:
    """A certificate authority of one's own, which signs for this machine's loopback address."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._key, self._name = key, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        signed = self._builder(self._name, key).add_extension(basic, critical=True)
        certificate = signed.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        self.pem = certificate.public_bytes(Encoding.PEM).decode()
        self.context = self._server_context(folder / f"{name}.pem")

    def _server_context(self, path: Path) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vcenter")])
        certificate = (
            self._builder(subject, key).add_extension(address, critical=False).sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


@contextmanager
def https(simulator: VsphereSimulator, context: ssl.SSLContext) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, simulator, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def simulator(clock: VirtualClock) -> VsphereSimulator:
    return create_app(clock, clock.advance)


def vault(authority: str) -> Vault:
    return Vault(vcenter={"username": USER, "password": PASSWORD, "ca_certificate": authority})


def test_a_private_authority_in_the_secret_is_trusted(
    simulator: VsphereSimulator, clock: VirtualClock, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ours")
    with https(simulator, authority.context) as url:
        provider = vsphere_provider(clock, cluster_settings(url), vault=vault(authority.pem))
        assert provider.survey("cl02").report.hosts


@pytest.mark.parametrize("trusted", ["nobody's", "another's"])
def test_a_certificate_of_a_stranger_is_refused_before_the_password_is_sent(
    simulator: VsphereSimulator, clock: VirtualClock, tmp_path: Path, trusted: str
) -> None:
    pem = Authority(tmp_path, "another").pem if trusted == "another's" else ""
    with https(simulator, Authority(tmp_path, "ours").context) as url:
        provider = vsphere_provider(clock, cluster_settings(url), vault=vault(pem))
        with pytest.raises(TerminalError, match=r"CertificateNotTrusted: .*ca_certificate"):
            provider.survey("cl02")
    assert simulator.log == []


def test_an_authority_that_was_rotated_is_taken_up_like_a_password(
    simulator: VsphereSimulator, clock: VirtualClock, tmp_path: Path
) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    logins = vault(old.pem)
    with https(simulator, new.context) as url:
        provider = vsphere_provider(clock, cluster_settings(url), vault=logins)
        with pytest.raises(TerminalError, match="CertificateNotTrusted"):
            provider.survey("cl02")
        logins.logins["vcenter"] = {"username": USER, "password": PASSWORD, "ca_certificate": new.pem}
        assert provider.survey("cl02").report.hosts


def test_a_certificate_that_is_none_is_the_operators_move(clock: VirtualClock) -> None:
    provider = vsphere_provider(clock, cluster_settings("https://127.0.0.1:1"), vault=vault("-----BEGIN NONSENSE"))
    with pytest.raises(TerminalError, match="the ca_certificate in the secret vcenter is no certificate in PEM form"):
        provider.survey("cl02")
