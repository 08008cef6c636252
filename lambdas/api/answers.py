"""What routes answer with: documents, and tags that tell whether somebody has the same one already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from lambdas.api.conditions import holds, seen_tags

JSON: Final = "application/json"

_DIGITS: Final = 20

_MOST_BYTES: Final = 6_000_000
"""Of 6,291,556 that a function may answer with; the rest is for headers.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


def fits(text: str) -> bool:
    """Whether a document may be answered with, as it is quoted once more: a function's answer is JSON itself."""
    return len(text) + text.count('"') + text.count("\\") <= _MOST_BYTES


def json_answer(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[str]:
    """A document as JSON."""
    return Response(int(status), JSON, json.dumps(body), headers=dict(headers or {}))


def tagged_answer(
    app: APIGatewayHttpResolver, text: str, headers: Mapping[str, str] | None = None, version: int | None = None
) -> Response[str]:
    """A document, as text, with an ETag over the whole of it; 304 for a caller who has it already.

    The tag of a document about something that counts its versions begins with the version.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    tag = f'"{digest}"' if version is None else f'"{version}.{digest}"'
    sent = {"ETag": tag, **(headers or {})}
    if holds(seen_tags(app.current_event.headers.get("if-none-match", "")), tag):
        return Response(int(HTTPStatus.NOT_MODIFIED), None, "", headers=sent)
    return Response(int(HTTPStatus.OK), JSON, text, headers=sent)


def next_link(app: APIGatewayHttpResolver, **changed: object) -> dict[str, str]:
    """The header that leads to the next page: the call that is being answered, with some parameters changed."""
    parameters = {**(app.current_event.query_string_parameters or {}), **changed}
    return {"Link": f'<{app.current_event.path}?{urlencode(parameters)}>; rel="next"'}
