"""Where tokens come from, on loopback: AWS STS, Entra ID, and Google's STS and IAM Credentials, for the real SDKs.

Each call is logged; the next answers may be refusals, or tokens that are about to expire.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Asked(NamedTuple):
    """One call: what of, and what was sent, by name."""

    what: str
    sent: dict[str, str]


class Refusal(NamedTuple):
    """An answer that is no token; status 0 closes the connection without one."""

    status: int
    body: Any = ""


@dataclass
class TokenServices:
    """All of them at `url`; a token lives `seconds`. The first of `refusals` is the next answer, and is used up."""

    seconds: int = 3600
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    _count: int = 0

    def of(self, what: str) -> list[dict[str, str]]:
        """What was sent with each call of a kind."""
        return [it.sent for it in self.asked if it.what == what]

    def answer(self, path: str, body: str) -> tuple[int, str, str]:
        """Status, content type and body of the answer to a POST."""
        sent = _sent(body)
        what = sent.get("Action") or path.rpartition("/")[2].partition(":")[2] or path.rpartition("/")[2]
        self.asked.append(Asked(what, {**sent, "path": path}))
        if self.refusals:
            refusal = self.refusals.pop(0)
            text = refusal.body if isinstance(refusal.body, str) else json.dumps(refusal.body)
            return refusal.status, "text/xml" if text.startswith("<") else "application/json", text
        self._count += 1
        return 200, *self._token(what, f"token-{self._count}")

    def _token(self, what: str, token: str) -> tuple[str, str]:
        expires = datetime.now(UTC) + timedelta(seconds=self.seconds)
        moment = f"{expires:%Y-%m-%dT%H:%M:%SZ}"
        match what:
            case "AssumeRole":
                keys = f"<AccessKeyId>ASIA{token}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                keys += f"<SessionToken>{token}</SessionToken><Expiration>{moment}</Expiration>"
                user = "<Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId>"
                result = f"<Credentials>{keys}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
                return "text/xml", f"<{what}Response><{what}Result>{result}</{what}Result></{what}Response>"
            case "GetWebIdentityToken":
                result = f"<WebIdentityToken>{token}</WebIdentityToken><Expiration>{moment}</Expiration>"
                return "text/xml", f"<{what}Response><{what}Result>{result}</{what}Result></{what}Response>"
            case "DescribeVolumes":  # what a test calls to have a role assumed
                return "text/xml", "<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>"
            case "generateAccessToken":
                return "application/json", json.dumps({"accessToken": token, "expireTime": moment})
            case _:
                kind = "urn:ietf:params:oauth:token-type:access_token"
                document = {"access_token": token, "expires_in": self.seconds, "token_type": "Bearer"}
                return "application/json", json.dumps({**document, "issued_token_type": kind})


def sts_refusal(code: str, status: int = 403) -> Refusal:
    """STS's own form of an error."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>said no</Message></Error>"
    return Refusal(status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>")


def entra_refusal(code: int, error: str = "invalid_client", status: int = 401) -> Refusal:
    """Entra ID's own form of an error."""
    return Refusal(status, {"error": error, "error_description": f"AADSTS{code}: said no.", "error_codes": [code]})


@contextmanager
def token_services(folder: Path | None = None) -> Iterator[TokenServices]:
    """The services as long as the context lasts; over TLS where there is a folder to leave their certificate in."""
    services = TokenServices()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(services))
    server.daemon_threads = True
    if folder is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    services.url = f"{'https' if folder else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield services
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(services: TokenServices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, kind, text = services.answer(self.path, body)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _sent(body: str) -> dict[str, str]:
    if body.startswith("{"):
        return {name: str(value) for name, value in json.loads(body).items()}
    return {name: values[0] for name, values in parse_qs(body).items()}


def _certificate(folder: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.fromtimestamp(time.time(), UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "token-services.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
