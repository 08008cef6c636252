"""PowerShell on VMM servers over WSMan (pypsrp): shells that are kept while warm, and the logins that open them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from tempfile import NamedTemporaryFile
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests import RequestException

from lambdas.adapters.secrets import Login, Refused, Secrets
from lambdas.core.errors import Misconfigured
from lambdas.scvmm.errors import SHELL_GONE_CODES, ShellGone, Unanswered, refused, translated
from lambdas.scvmm.settings import ScvmmSettings

Plain = str | int | bool
"""What a script's parameter may be."""

Record = Mapping[str, Any]
"""One object that a script said, by property."""

_PORTS: Final = {"http": 5985, "https": 5986}


class _Said(NamedTuple):
    records: list[Record]
    errors: list[Any]


class VmmShells:
    """The shells on one VMM server, one for each script that runs at a time; safe to be called from several threads."""

    def __init__(self, server: str, secret: str, secrets: Secrets, settings: ScvmmSettings) -> None:
        self._server = server
        self._secret = secret
        self._secrets = secrets
        self._settings = settings
        self._idle: list[_Shell] = []
        self._lock = threading.Lock()

    def run(self, script: str, **values: Plain) -> list[Record]:
        """Run one script with values for its parameters; what it said, or the first error of it as a StepError.

        A shell that is gone is opened again, once, with the login as it is now if it was changed. One that did not
        answer is left to the server, which ends it when nobody has used it for a while.
        """
        with translated():
            shell = self._take()
            try:
                said = shell.run(script, values)
            except ShellGone:
                shell = self._open()
                said = shell.run(script, values)
            finally:
                self._give_back(shell)
        if said.errors:
            raise refused(said.errors[0])
        return said.records

    def _take(self) -> _Shell:
        with self._lock:
            shell = self._idle.pop() if self._idle else None
        return shell if shell is not None and shell.is_there() else self._open()

    def _give_back(self, shell: _Shell) -> None:
        if shell.reusable:
            with self._lock:
                self._idle.append(shell)

    def _open(self) -> _Shell:
        return self._secrets.with_login(self._secret, self._sign_in)

    def _sign_in(self, login: Login) -> _Shell:
        return _Shell(self._server, login, self._settings)


class VmmServers:
    """The shells of each VMM server as each login, made when first needed and kept as long as the process."""

    def __init__(self, secrets: Secrets, settings: ScvmmSettings) -> None:
        self._secrets = secrets
        self._settings = settings
        self._shells: dict[tuple[str, str], VmmShells] = {}
        self._lock = threading.Lock()

    def shells(self, server: str, secret: str) -> VmmShells:
        """The shells on the server at that URL, opened with the login in that secret."""
        with self._lock:
            key = (server, secret)
            if key not in self._shells:
                self._shells[key] = VmmShells(server, secret, self._secrets, self._settings)
            return self._shells[key]


class _Shell:
    """One runspace on the server; raises Refused when it cannot be opened with this login."""

    def __init__(self, server: str, login: Login, settings: ScvmmSettings) -> None:
        self._settings = settings
        self._authority = _authority_file(login)
        self._connection = _connection(server, login, settings, self._authority.name if self._authority else True)
        self._pool = RunspacePool(self._connection, idle_timeout=settings.idle_timeout)
        self._used_at = time.monotonic()
        self.reusable = True
        try:
            self._pool.open()
        except AuthenticationError:
            self._connection.close()
            raise Refused from None

    def is_there(self) -> bool:
        """Whether both the connection and the server's side of it are still there, asked if it was idle for long."""
        if time.monotonic() - self._used_at <= self._settings.check_after:
            return True
        try:
            return self._pool.is_alive(timeout=self._settings.poll_timeout)
        except (WinRMError, RequestException):
            return False

    def run(self, script: str, values: Mapping[str, Plain]) -> _Said:
        """Run a script; raises ShellGone where it certainly did not run, because its shell or its user is gone."""
        pipeline = self._pipeline(script, values)
        self.reusable = False
        try:
            pipeline.begin_invoke()
        except AuthenticationError:
            raise ShellGone from None
        except WSManFaultError as error:
            if str(error.code) in SHELL_GONE_CODES:
                raise ShellGone from error
            self.reusable = error.code is not None
            raise
        return self._outcome(pipeline)

    def _pipeline(self, script: str, values: Mapping[str, Plain]) -> PowerShell:
        pipeline = PowerShell(self._pool)
        pipeline.add_script(script)
        pipeline.add_parameters(dict(values))
        return pipeline

    def _outcome(self, pipeline: PowerShell) -> _Said:
        deadline = time.monotonic() + self._settings.script_timeout
        pipeline.poll_invoke(timeout=self._settings.poll_timeout)
        while pipeline.state == PSInvocationState.RUNNING:
            if time.monotonic() > deadline:
                raise Unanswered
            pipeline.poll_invoke(timeout=self._settings.poll_timeout)
        self._forget(pipeline)
        return _Said([_record(it) for it in pipeline.output], pipeline.streams.error)

    def _forget(self, pipeline: PowerShell) -> None:
        """Let the server forget a pipeline that has ended; a shell where that fails is not used again."""
        with suppress(WinRMError, RequestException):
            pipeline.close()
            self.reusable = True
        self._used_at = time.monotonic()


def _connection(server: str, login: Login, settings: ScvmmSettings, trust: str | bool) -> WSMan:
    """A connection to the WSMan endpoint at a URL (`https://vmm01.corp:5986/wsman`); nothing is sent yet."""
    url = urlsplit(server)
    if url.scheme not in _PORTS or not url.hostname:
        raise Misconfigured(f"{server!r} is not the URL of a WSMan endpoint, like https://vmm01.example.com:5986/wsman")
    tls = url.scheme == "https"
    if settings.auth == "basic" and not tls and not settings.plain_basic:
        raise Misconfigured(f"basic authentication would send the password to {server} in the clear")
    return WSMan(
        url.hostname,
        port=url.port or _PORTS[url.scheme],
        path=url.path.strip("/") or "wsman",
        ssl=tls,
        username=login.username,
        password=login.password.get_secret_value(),
        auth=settings.auth,
        encryption="never" if settings.auth == "basic" else "auto",
        cert_validation=trust,  # type: ignore[arg-type]  # a path, too: it becomes the session's `verify`
        connection_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        operation_timeout=settings.poll_timeout,
        reconnection_backoff=0,  # what is tried again is for the state machine to say
    )


def _authority_file(login: Login) -> Any:
    """The private authority that signed the server's certificate, as a file for as long as its connection."""
    if not login.ca_certificate:
        return None
    file = NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115 -- it goes when the shell goes
    file.write(login.ca_certificate)
    file.flush()
    return file


def _record(said: Any) -> Record:
    """The properties of an object as pypsrp has it; what is no object has none."""
    return {**getattr(said, "adapted_properties", {}), **getattr(said, "extended_properties", {})}
