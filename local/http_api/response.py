"""A function's return value as an HTTP response, by the rules of payload format 2.0.

Source: "Create AWS Lambda proxy integrations for HTTP APIs", Lambda function response for format 2.0.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


class MalformedResponse(Exception):
    """What the function returned is no response; API Gateway answers 500."""


@dataclass(frozen=True)
class HttpResponse:
    """Status, headers in order, and body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def status_line(self) -> str:
        """The status with its standard phrase."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def message_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return one of API Gateway's own answers."""
    own = {"Content-Type": "application/json", **(headers or {})}
    return HttpResponse(status, tuple(own.items()), json.dumps({"message": message}).encode())


def decode_response(payload: bytes) -> HttpResponse:
    """Return the response that a function's payload describes; raises MalformedResponse."""
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        raise MalformedResponse("not JSON") from None
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"))
        return HttpResponse(200, (("Content-Type", "application/json"),), body.encode())
    headers = _headers(answer.get("headers"))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain;charset=UTF-8"))
    headers += [("Set-Cookie", cookie) for cookie in _cookies(answer.get("cookies"))]
    return HttpResponse(_status(answer["statusCode"]), tuple(headers), _body(answer))


def _status(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise MalformedResponse("statusCode is not a status")
    return value


def _headers(value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise MalformedResponse("headers is not an object")
    headers = []
    for name, content in value.items():
        if isinstance(content, dict | list):
            raise MalformedResponse(f"header {name} is not a string")
        text = json.dumps(content) if isinstance(content, bool) else str(content)
        if name.lower() != "content-length":
            headers.append((name, text.replace("\r", "").replace("\n", "")))
    return headers


def _cookies(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(cookie, str) for cookie in value):
        raise MalformedResponse("cookies is not a list of strings")
    return value


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponse("body is not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise MalformedResponse("body is not Base64") from None
