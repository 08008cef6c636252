"""An HTTP request as it arrived, in the terms of API Gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


@dataclass(frozen=True)
class HttpRequest:
    """A whole request; header names are lower case, `target` is the undecoded path and query.

    `mount` is the part of the path that led to this API and is none of its own.
    """

    method: str
    target: str
    protocol: str
    source_ip: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    mount: str = ""

    @classmethod
    def from_wsgi(cls, environ: WSGIEnvironment) -> HttpRequest:
        """Read a request that `local.http_server` received."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }
        return cls(
            environ["REQUEST_METHOD"],
            environ["RAW_URI"],
            environ["SERVER_PROTOCOL"],
            environ["REMOTE_ADDR"],
            headers,
            environ["wsgi.input"].read(),
            environ["SCRIPT_NAME"],
        )

    @property
    def raw_path(self) -> str:
        """The path within the API, as it was sent."""
        return self.target.partition("?")[0].removeprefix(self.mount) or "/"

    @property
    def path(self) -> str:
        """The path within the API, decoded; unverified that API Gateway passes it on so."""
        return unquote(self.raw_path)

    @property
    def query(self) -> str:
        """The query string as it was sent."""
        return self.target.partition("?")[2]
