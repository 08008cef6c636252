"""Sessions with vCenters, kept as long as the function is warm or the agent runs."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pyVmomi import vim
from pyVmomi.SoapAdapter import SoapStubAdapter
from pyVmomi.VmomiSupport import GetRequestContext

from lambdas.adapters.secrets import Login, Refused, Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import TerminalError
from lambdas.vsphere.errors import Untrusted, signing_in
from lambdas.vsphere.settings import VsphereSettings

T = TypeVar("T")

_VERSION: Final = "vim.version.v7_0"
"""The oldest API that has all we ask for; every later vCenter speaks it, too."""

_IDLE_SECONDS: Final = 20
"""A connection that was idle for longer may be half dead, which we would learn only after sending a clone on it."""


class Session(NamedTuple):
    """Somebody signed in to one vCenter: what there is to call, and what it calls them (DOMAIN, a backslash, user)."""

    content: Any
    username: str


class Sessions:
    """One session for each server and secret, signed in to when it is first needed and whenever it has ended."""

    def __init__(self, secrets: Secrets, settings: VsphereSettings) -> None:
        self._secrets = secrets
        self._settings = settings
        self._sessions: dict[tuple[str, str], Session] = {}
        self._lock = threading.RLock()

    def run(self, cluster: ClusterSettings, act: Callable[[Session], T]) -> T:
        """What `act` does with the session of the cluster's server; done again from the start where it had expired."""
        session = self._session(cluster)
        try:
            return act(session)
        except (vim.fault.NotAuthenticated, ssl.SSLCertVerificationError):
            self._forget(cluster, session)
        return act(self._session(cluster))

    def _session(self, cluster: ClusterSettings) -> Session:
        key = (cluster.server, cluster.secret)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = self._sign_in(cluster)
            return self._sessions[key]

    def _forget(self, cluster: ClusterSettings, session: Session) -> None:
        key = (cluster.server, cluster.secret)
        with self._lock:
            if self._sessions.get(key) is session:
                del self._sessions[key]

    def _sign_in(self, cluster: ClusterSettings) -> Session:
        with signing_in(cluster.server, cluster.secret):
            return self._secrets.with_login(cluster.secret, lambda login: self._session_of(cluster, login))

    def _session_of(self, cluster: ClusterSettings, login: Login) -> Session:
        stub = SoapStubAdapter(
            url=cluster.server,
            version=_VERSION,
            sslContext=_trust(cluster, login),
            httpConnectionTimeout=self._settings.timeout,
            connectionPoolTimeout=_IDLE_SECONDS,
        )
        try:
            content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            signed_in = content.sessionManager.Login(login.username, login.password.get_secret_value())
        except vim.fault.InvalidLogin:
            # not chained: pyvmomi keeps the call that failed
            raise Refused from None
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(error.verify_message) from None
        return Session(content, str(signed_in.userName))


@contextmanager
def task_token(token: str) -> Iterator[None]:
    """Let tasks that are begun inside carry `token` as their `activationId`.

    "The activation Id is a client-provided token to link an API call with a task" (TaskInfo, vSphere API 6.0). Request
    contexts travel in the SOAP header; a server that knows nothing of this one ignores it.
    """
    context = GetRequestContext()
    context["activationId"] = token
    try:
        yield
    finally:
        with contextlib.suppress(KeyError):
            del context["activationId"]


def _trust(cluster: ClusterSettings, login: Login) -> ssl.SSLContext | None:
    """Whom to trust: the secret's authority and no other, or else the public ones; nobody where there is no TLS."""
    scheme = urlsplit(cluster.server).scheme
    if scheme == "http":
        return None
    if scheme != "https":
        raise TerminalError("Misconfigured", f"the server of the cluster {cluster.name} must be an https:// URL")
    try:
        return ssl.create_default_context(cadata=login.ca_certificate or None)
    except (ssl.SSLError, ValueError):
        message = f"the ca_certificate in the secret {cluster.secret} is no certificate in PEM form"
        raise TerminalError("Misconfigured", message) from None
