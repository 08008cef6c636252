"""Error answers as EC2 gives them."""

from __future__ import annotations

from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response


def refusal(code: str, message: str, status: int = 400) -> Response:
    """An EC2 error answer; `code` is EC2's ("RequestLimitExceeded")."""
    body = _XML.format(code=escape(code), message=escape(message), id=uuid4())
    return Response(body, status=status, content_type="text/xml;charset=UTF-8")


_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>{id}</RequestID></Response>"
)
