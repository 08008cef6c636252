"""Who comes in: Basic with every request, or NTLM (by itself or in SPNEGO) once for each connection, and encryption.

pyspnego's own server side checks NTLM; it reads the passwords from a file that the environment names, for as long as it
takes to look at one token.
"""

from __future__ import annotations

import base64
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import spnego
from pypsrp.encryption import WinRMEncryption
from pypsrp.exceptions import WinRMError
from spnego.exceptions import SpnegoError
from werkzeug.wrappers import Request, Response

from local.http_server import CONNECTION

_ENCRYPTED: Final = re.compile(r'multipart/encrypted;.*boundary="([^"]+)"')
_STORE: Final = "NTLM_USER_FILE"
_stepping = threading.Lock()


class Admitted(NamedTuple):
    """Somebody who was let in: the user's name, what is asked, and how the answer has to be wrapped."""

    user: str
    body: bytes
    seal: Callable[[Response], Response]


class _Negotiation:
    """What is agreed upon with one connection, step by step."""

    def __init__(self, token: bytes) -> None:
        options = spnego.NegotiateOptions
        if token.startswith(b"NTLMSSP"):
            self.context = spnego.server(protocol="ntlm", options=options.use_ntlm)
        else:
            self.context = spnego.server(protocol="negotiate", options=options.use_negotiate | options.wrapping_winrm)
        self.user = ""


class Door:
    """Lets users in by the passwords that they have at the moment."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._negotiations: WeakKeyDictionary[Any, _Negotiation] = WeakKeyDictionary()

    def admit(self, request: Request) -> Admitted | Response:
        """Let a request in, or answer what it is to do first."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        connection = request.environ.get(CONNECTION)
        if scheme == "Basic":
            return self._basic(credentials, request.get_data())
        if scheme == "Negotiate" and connection is not None:
            return self._negotiate(connection, base64.b64decode(credentials), request)
        negotiation = self._negotiations.get(connection) if connection is not None else None
        if negotiation is not None and negotiation.user:
            return _opened(negotiation, request)
        return _unauthorized()

    def _basic(self, credentials: str, body: bytes) -> Admitted | Response:
        user, _, password = base64.b64decode(credentials).decode().partition(":")
        if not password or self._users.get(user) != password:
            return _unauthorized()
        return Admitted(user, body, lambda response: response)

    def _negotiate(self, connection: Any, token: bytes, request: Request) -> Admitted | Response:
        try:
            with self._passwords():
                negotiation = self._negotiations.get(connection)
                if negotiation is None or negotiation.context.complete:
                    negotiation = self._negotiations[connection] = _Negotiation(token)
                reply = negotiation.context.step(token)
        except (SpnegoError, ValueError, KeyError):  # the latter two for a token that is none
            self._negotiations.pop(connection, None)
            return _unauthorized()
        header = "Negotiate " + base64.b64encode(reply or b"").decode()
        if not negotiation.context.complete:
            return Response(status=401, headers={"WWW-Authenticate": header})
        negotiation.user = str(negotiation.context.client_principal)
        if not request.get_data():
            return Response(status=200, headers={"WWW-Authenticate": header} if reply else {})
        return _opened(negotiation, request)

    @contextmanager
    def _passwords(self) -> Iterator[None]:
        """Put the passwords of this moment where pyspnego looks for them."""
        with _stepping, NamedTemporaryFile("w", suffix=".ntlm") as store:
            store.write("".join(f"{_domain_and_user(user)}:{password}\n" for user, password in self._users.items()))
            store.flush()
            before = os.environ.get(_STORE)
            os.environ[_STORE] = store.name
            try:
                yield
            finally:
                del os.environ[_STORE]
                if before is not None:
                    os.environ[_STORE] = before


def _opened(negotiation: _Negotiation, request: Request) -> Admitted | Response:
    """What an admitted connection asks; 400 for what was encrypted for some other connection."""
    boundary = _ENCRYPTED.match(request.headers.get("Content-Type", ""))
    if boundary is None:
        return Admitted(negotiation.user, request.get_data(), lambda response: response)
    encryption = WinRMEncryption(negotiation.context, WinRMEncryption.SPNEGO)
    try:
        body = encryption.unwrap_message(request.get_data(), boundary[1])
    except (SpnegoError, WinRMError):
        return Response(status=400)

    def seal(response: Response) -> Response:
        content_type, sealed = encryption.wrap_message(response.get_data())
        kind = f'{content_type};protocol="{WinRMEncryption.SPNEGO}";boundary="Encrypted Boundary"'
        return Response(sealed, response.status_code, content_type=kind)

    return Admitted(negotiation.user, body, seal)


def _unauthorized() -> Response:
    response = Response(status=401)
    response.headers.add("WWW-Authenticate", "Negotiate")
    response.headers.add("WWW-Authenticate", 'Basic realm="WSMAN"')
    return response


def _domain_and_user(user: str) -> str:
    domain, _, name = user.rpartition("\\")
    return f"{domain}:{name}"
