"""Where a simulator steps in before and after each EC2 operation, and what it can make EC2 answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

OperationHook = Callable[[str], None]


def _nothing(_operation: str) -> None:
    """The hook that is there when nobody steps in."""


@dataclass(frozen=True, slots=True)
class OperationHooks:
    """Called with the operation's name ("RunInstances") before it begins and when its effect is there.

    What a hook raises becomes the answer: an `Ec2Fault`, any werkzeug HTTP exception, or local.http_server's
    DropConnection. From `after`, the effect stays: the reply is lost, not the operation.
    """

    before: OperationHook = _nothing
    after: OperationHook = _nothing


class Ec2Fault(HTTPException):
    """An EC2 error answer, made by a hook; `code` is EC2's ("RequestLimitExceeded")."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.response = Response(_XML.format(code=escape(code), message=escape(message), id=uuid4()), status=status)
        self.response.content_type = "text/xml;charset=UTF-8"
        super().__init__(message, self.response)


_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    "<RequestID>{id}</RequestID></Response>"
)
