"""JWT authorization: a request counts as a caller's only if it bears a token that its route's issuer signed for it.

Source: "Control access to HTTP APIs with JWT authorizers in API Gateway", authorizing API requests.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from local.http_api.deployed import JwtAuthorizer

# "Currently, only RSA-based algorithms are supported"; which of them is unverified beyond RS256.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512")
# "API Gateway can cache the public key for two hours."
_KEYS_LAST_SECONDS: Final = 7200
# Unverified: users report that API Gateway waits this long for an issuer.
_ISSUER_SECONDS: Final = 1.5

Fetch = Callable[[str], Any]


class TokenRefused(Exception):
    """The token is missing or not good enough; `challenge` is what the WWW-Authenticate header says of it."""

    def __init__(self, status: int, message: str, challenge: str) -> None:
        super().__init__(challenge)
        self.status = status
        self.message = message
        self.challenge = challenge


@dataclass(frozen=True)
class JwtIdentity:
    """The bearer of a token, as `requestContext.authorizer.jwt` names it."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...] | None

    def to_event(self) -> dict[str, Any]:
        """Return the object that API Gateway puts into the event: every claim as text."""
        claims = {name: _text(value) for name, value in self.claims.items()}
        return {"jwt": {"claims": claims, "scopes": None if self.scopes is None else list(self.scopes)}}


class TokenVerifier:
    """Verifies tokens with their issuers' keys, which `fetch` gets as JSON from a URL; they are kept for two hours."""

    def __init__(self, fetch: Fetch | None = None, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch or _fetch_json
        self._now = now
        self._keys: dict[str, tuple[float, dict[str, Any]]] = {}

    def verify(self, header: str, authorizer: JwtAuthorizer, scopes: Sequence[str] = ()) -> JwtIdentity:
        """Return whose token an Authorization header bears; raises TokenRefused.

        The token must be signed by the authorizer's issuer, for one of its audiences, be valid now and have at least
        one of `scopes`, if there are any.
        """
        scheme, _, rest = header.strip().partition(" ")
        token = rest.strip() if scheme.lower() == "bearer" else header.strip()
        if not token:
            raise TokenRefused(401, "Unauthorized", "Bearer")
        try:
            claims = self._claims(token, authorizer.issuer)
        except jwt.PyJWTError as error:
            raise _invalid(_DESCRIPTIONS.get(type(error), "the token is not valid")) from error
        # "API Gateway validates client_id only if aud is not present."
        if not set(_listed(claims.get("aud", claims.get("client_id")))) & set(authorizer.audiences):
            raise _invalid("the token does not have a valid audience")
        held = _scopes(claims)
        if scopes and not set(held) & set(scopes):
            wanted = " ".join(scopes)
            raise TokenRefused(403, "Forbidden", f'Bearer scope="{wanted}" error="insufficient_scope"')
        return JwtIdentity(claims, held if scopes else None)

    def _claims(self, token: str, issuer: str) -> dict[str, Any]:
        key = self._key(issuer, jwt.get_unverified_header(token).get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            issuer=issuer,
            options={"require": ["exp", "iss"], "verify_aud": False},
        )
        return claims

    def _key(self, issuer: str, kid: object) -> Any:
        until, keys = self._keys.get(issuer, (0.0, {}))
        if self._now() >= until or kid not in keys:
            keys = self._fetch_keys(issuer)
            self._keys[issuer] = (self._now() + _KEYS_LAST_SECONDS, keys)
        if kid not in keys:
            raise _invalid("the token's key is none of the issuer's")
        return keys[kid]

    def _fetch_keys(self, issuer: str) -> dict[str, Any]:
        try:
            discovered = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            found = self._fetch(discovered["jwks_uri"])["keys"]
            return {it["kid"]: jwt.PyJWK(it, "RS256").key for it in found if it.get("kty") == "RSA" and "kid" in it}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, jwt.PyJWTError) as error:
            raise _invalid("OIDC discovery endpoint communication error") from error


_DESCRIPTIONS: Final[dict[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.InvalidIssuerError: "the token does not have a valid issuer",
    jwt.InvalidSignatureError: "the token does not have a valid signature",
    jwt.InvalidAlgorithmError: "the token does not have a valid algorithm",
    jwt.ImmatureSignatureError: "the token is not valid yet",
}
"""Of these words API Gateway's documentation gives only those for the audience."""


def _invalid(description: str) -> TokenRefused:
    challenge = f'Bearer scope="" error="invalid_token" error_description="{description}"'
    return TokenRefused(401, "Unauthorized", challenge)


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the scopes that a token has, in `scope` or `scp`, as text or as a list."""
    value = claims.get("scope", claims.get("scp"))
    return tuple(value.split()) if isinstance(value, str) else _listed(value)


def _listed(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else () if value is None else (str(value),)


def _text(value: Any) -> str:
    """Return a claim as text; unverified: lists are seen as `[a b]`."""
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def _fetch_json(url: str) -> Any:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("an issuer is reached over HTTP")
    # only these schemes get here, which neither checker sees
    with urllib.request.urlopen(url, timeout=_ISSUER_SECONDS) as answer:  # noqa: S310  # nosec B310
        return json.loads(answer.read())
