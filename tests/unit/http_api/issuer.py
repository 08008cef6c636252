"""An issuer of tokens: two RSA keys, the documents that it publishes, and tokens of every kind."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://id.example/tenant"
AUDIENCE = "skysaga"

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FORGED = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Issuer:
    """What an issuer publishes, by URL; counts what it is asked."""

    def __init__(self, url: str = ISSUER) -> None:
        self.url = url
        self.asked: list[str] = []
        self.published: dict[str, Any] = {
            f"{url}/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
            f"{url}/keys": {"keys": [published_key("key-1")]},
        }

    def fetch(self, url: str) -> Any:
        self.asked.append(url)
        if url not in self.published:
            raise OSError(url)
        return self.published[url]


def published_key(kid: str, key: rsa.RSAPrivateKey = OURS) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {**public, "kid": kid, "use": "sig"}


def token(key: Any = OURS, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """A good token with some claims changed; a claim that is None is left out."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ops", "iat": now - 10, "exp": now + 300, **changes}
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key, algorithm, {"kid": "key-1", **(headers or {})})
