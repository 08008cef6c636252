"""Passwords from Secrets Manager: read once, read again when a server refuses one, and never repeated to anybody."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.adapters.secrets import Login, Refused, Secrets
from lambdas.core.errors import Misconfigured, RetryableError

SECRET = "skysaga/berlin"
OLD = json.dumps({"username": "svc", "password": "old-hunter2"})
NEW = json.dumps({"username": "svc", "password": "new-hunter2"})


class FakeVault:
    """Secrets Manager: holds one secret, and counts how often it was read."""

    def __init__(self, text: str = OLD) -> None:
        self.answer: dict[str, Any] = {"SecretString": text}
        self.error: Exception | None = None
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 -- as the API has it
        assert SecretId == SECRET
        self.reads += 1
        if self.error:
            raise self.error
        return self.answer


def accepts(password: str) -> Any:
    def sign_in(login: Login) -> str:
        if login.password.get_secret_value() != password:
            raise Refused
        return f"session of {login.username}"

    return sign_in


def refusal(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetSecretValue")


def test_a_secret_is_read_once_as_long_as_it_is_accepted() -> None:
    vault = FakeVault()
    secrets = Secrets(vault)
    for _ in range(3):
        assert secrets.with_login(SECRET, accepts("old-hunter2")) == "session of svc"
    assert vault.reads == 1


def test_a_password_that_was_rotated_is_taken_up_without_anybody_being_told() -> None:
    vault = FakeVault()
    secrets = Secrets(vault)
    secrets.with_login(SECRET, accepts("old-hunter2"))
    vault.answer = {"SecretString": NEW}
    assert secrets.with_login(SECRET, accepts("new-hunter2")) == "session of svc"
    assert secrets.with_login(SECRET, accepts("new-hunter2")) == "session of svc"
    assert vault.reads == 2


def test_a_password_that_is_wrong_is_tried_once() -> None:
    tried: list[str] = []

    def sign_in(login: Login) -> None:
        tried.append(login.password.get_secret_value())
        raise Refused

    with pytest.raises(Refused):
        Secrets(FakeVault()).with_login(SECRET, sign_in)
    assert tried == ["old-hunter2"]


def test_a_login_does_not_show_its_password() -> None:
    login = Secrets(FakeVault()).login(SECRET)
    assert "hunter2" not in repr(login) + str(login)


@pytest.mark.parametrize(
    "answer",
    [
        {"SecretString": "hunter2"},
        {"SecretString": '{"password": "hunter2"}'},
        {"SecretString": '{"username": "", "password": "hunter2"}'},
        {"SecretBinary": b"hunter2"},
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_quoted(
    answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    vault = FakeVault()
    vault.answer = answer
    with caplog.at_level(logging.DEBUG), pytest.raises(Misconfigured, match=SECRET) as refused:
        Secrets(vault).login(SECRET)
    assert "username and password" in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert "hunter2" not in str(refused.value) + caplog.text


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("InternalServiceError", 500),
        refusal("AnythingElse", 503),
        EndpointConnectionError(endpoint_url="https://secretsmanager"),
    ],
)
def test_what_passes_by_itself_is_retried(error: Exception) -> None:
    vault = FakeVault()
    vault.error = error
    with pytest.raises(RetryableError):
        Secrets(vault).login(SECRET)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "DecryptionFailure"])
def test_what_does_not_is_an_operators_to_mend(code: str) -> None:
    vault = FakeVault()
    vault.error = refusal(code)
    with pytest.raises(Misconfigured, match=f"{SECRET} cannot be read: {code}"):
        Secrets(vault).login(SECRET)
