"""Secrets Manager: the passwords of private clusters, read when they are needed and again when they were refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from lambdas.adapters.refusals import passes
from lambdas.core.errors import Misconfigured, RetryableError

T = TypeVar("T")

_PASSING: Final = frozenset({"InternalServiceError", "ThrottlingException", "RequestLimitExceeded"})
"""https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html, and the common errors"""


class Login(BaseModel):
    """Who we are to a server; `ca_certificate` (PEM) is whom it is signed by, where that is no public authority."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)

    username: str = Field(min_length=1)
    password: SecretStr
    ca_certificate: str = ""


class Refused(Exception):
    """A server did not accept a login: it may have been rotated since it was read."""


class Secrets:
    """Logins by the name or ARN of their secret, read once and kept until a server refuses one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._logins: dict[str, Login] = {}

    def login(self, secret: str) -> Login:
        """The login; raises Misconfigured for a secret that is missing or malformed, and RetryableError."""
        if secret not in self._logins:
            self._logins[secret] = self._read(secret)
        return self._logins[secret]

    def with_login(self, secret: str, sign_in: Callable[[Login], T]) -> T:
        """What `sign_in` makes of the login; where it raises Refused, of the login as it is now, if it has changed.

        So a password that was rotated is taken up without anybody being told; one that is wrong is tried once a call.
        """
        known = self.login(secret)
        try:
            return sign_in(known)
        except Refused:
            self._logins[secret] = self._read(secret)
            if self._logins[secret] == known:
                raise
        return sign_in(self._logins[secret])

    def _read(self, secret: str) -> Login:
        try:
            text = self._client.get_secret_value(SecretId=secret)["SecretString"]
            return Login.model_validate_json(text)
        except ClientError as error:
            raise _translated(error, secret) from error
        except BotoCoreError as error:
            raise RetryableError(type(error).__name__, "Secrets Manager did not answer") from error
        except (KeyError, ValidationError):
            # not chained: the cause may hold what the secret holds
            raise Misconfigured(
                f"the secret {secret} cannot be used: it must be a JSON object with username and password"
            ) from None


def _translated(error: ClientError, secret: str) -> Exception:
    code = error.response["Error"]["Code"]
    if passes(error, _PASSING):
        return RetryableError(code, "Secrets Manager refused for now")
    return Misconfigured(f"the secret {secret} cannot be read: {code}")
