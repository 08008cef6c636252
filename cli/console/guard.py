"""Who may have the console do something: the page that it served itself, in the browser that it was opened in.

Any page that an operator visits can send requests to a port of their machine, and a name that its owner points there
(DNS rebinding) makes such a page look like one of ours. So a request must name us by a loopback address; what
changes something must come from our own page; and whoever asks must have been given the key, which is in the address
that the command prints and becomes a cookie that no script can read and no other site's page can send.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_READING: Final = frozenset({"GET", "HEAD"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})


class Refused(Exception):
    """A request that is not carried out, as a problem document tells it."""

    def __init__(self, status: HTTPStatus, title: str, detail: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail


class Guard:
    """Checks the requests to one port; without a `key` whoever is on this machine may ask."""

    def __init__(self, port: int, key: str | None) -> None:
        self._hosts = frozenset(f"{name}:{port}" for name in _LOOPBACK)
        self._key = key
        self._cookie = f"skysaga-console-{port}"  # cookies do not tell ports apart

    def check_host(self, headers: Message) -> None:
        """Raise Refused for a request to a name that is not ours."""
        named = headers.get_all("Host") or []
        if len(named) != 1 or named[0].strip().lower() not in self._hosts:
            detail = "The console answers at its loopback address only; open the address that its command printed."
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "This is not the address of the console", detail)

    def check_caller(self, method: str, headers: Message) -> None:
        """Raise Refused for a call of the API that does not come from the page, or comes without the key."""
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        ours = f"http://{str(headers.get('Host')).strip().lower()}"
        known = origin == ours if origin is not None else site in _OWN_SITE
        if (site is not None and site not in _OWN_SITE) or (method not in _READING and not known):
            detail = "Only the console's own page may call the API through it."
            raise Refused(HTTPStatus.FORBIDDEN, "This call comes from somewhere else", detail)
        if self._key is not None and not self._same(self._given(headers)):
            detail = "Open the address that `skysaga console` printed: the key is in it, and this browser keeps it."
            raise Refused(HTTPStatus.UNAUTHORIZED, "The console does not know this browser", detail)

    def exchange(self, query: str) -> Mapping[str, str]:
        """The headers that make a cookie of the key in an address; raises Refused for a wrong one."""
        if self._key is None or not self._same("".join(parse_qs(query).get("token", []))):
            detail = "Open the address that `skysaga console` printed last; every start has a key of its own."
            raise Refused(HTTPStatus.UNAUTHORIZED, "This key does not fit", detail)
        return {"Set-Cookie": f"{self._cookie}={self._key}; Path=/; HttpOnly; SameSite=Strict"}

    def _same(self, given: str) -> bool:
        return self._key is not None and hmac.compare_digest(given.encode(), self._key.encode())

    def _given(self, headers: Message) -> str:
        try:
            cookie = SimpleCookie("; ".join(headers.get_all("Cookie") or [])).get(self._cookie)
        except CookieError:
            return ""
        return cookie.value if cookie else ""
