"""What a call brought with it, as API Gateway hands it on."""

from __future__ import annotations

import base64
from typing import Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

IDEMPOTENCY_KEY: Final = "idempotency-key"
LONGEST_KEY: Final = 255
KEY_PATTERN: Final = r"^[!-~]([ -~]*[!-~])?$"


def header(app: APIGatewayHttpResolver, name: str) -> str:
    """A header of the call that is being answered; empty when there is none. Names are in lower case."""
    return app.current_event.headers.get(name, "").strip()


def content_type(app: APIGatewayHttpResolver) -> str:
    """Of which media type the caller says that the document is."""
    return header(app, "content-type")


def body(app: APIGatewayHttpResolver) -> bytes:
    """The document, as it was sent."""
    text: str = app.current_event.body or ""
    return base64.b64decode(text) if app.current_event.is_base64_encoded else text.encode("utf-8", "surrogatepass")
