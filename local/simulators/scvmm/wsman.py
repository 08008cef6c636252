"""WS-Management's envelopes: what a request asks, and answers and faults to it.

Sources: [MS-WSMV] and [MS-PSRP], https://learn.microsoft.com/openspecs; the numbers of faults: wsmerror.h.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from werkzeug.wrappers import Response

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
FAULT: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
POWERSHELL: Final = "http://schemas.microsoft.com/powershell"
CONTENT_TYPE: Final = "application/soap+xml;charset=UTF-8"

ACCESS_DENIED: Final = 5
TIMED_OUT: Final = 2150858793
SCHEMA_VALIDATION: Final = 2150858817
NO_SUCH_SHELL: Final = 2150858843
TOO_MANY_SHELLS: Final = 2150859173
TOO_MANY_OPERATIONS: Final = 2150859174


class WsmanFault(Exception):
    """A request that is answered with a fault."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Envelope:
    """A request: the last word of its action, its message id, the shell it is for, and the rest as it came."""

    action: str
    message_id: str
    shell_id: str | None
    root: ElementTree.Element

    def find(self, path: str) -> ElementTree.Element:
        """The element at a path below the root; raises WsmanFault when it is not there."""
        found = self.root.find(path)
        if found is None:
            raise WsmanFault(SCHEMA_VALIDATION, f"The SOAP XML has no {path}.")
        return found

    @property
    def fragments(self) -> bytes:
        """The PSRP fragments that the request carries, if any."""
        for path in (f".//{{{POWERSHELL}}}creationXml", f".//{{{SHELL}}}Arguments", f".//{{{SHELL}}}Stream"):
            found = self.root.find(path)
            if found is not None and found.text:
                return base64.b64decode(found.text)
        return b""

    @property
    def command_id(self) -> str | None:
        """The id of the command that it is or is for, in capitals."""
        for name in ("CommandLine", "DesiredStream", "Stream", "Signal"):
            found = self.root.find(f".//{{{SHELL}}}{name}")
            if found is not None and "CommandId" in found.attrib:
                return found.attrib["CommandId"].upper()
        return None

    @property
    def idle_timeout(self) -> float | None:
        """How long the shell that it opens may be idle, in seconds, if it says so."""
        text = self.root.findtext(f".//{{{SHELL}}}IdleTimeOut") or ""
        return float(text[2:-1]) if text.startswith("PT") and text.endswith("S") else None


def read(body: bytes) -> Envelope:
    """The envelope that a body is; raises WsmanFault for anything else."""
    try:
        # what our own client on this machine sends
        root = ElementTree.fromstring(body)  # noqa: S314  # nosec B314
    except ElementTree.ParseError:
        raise WsmanFault(SCHEMA_VALIDATION, "The SOAP XML in the message cannot be read.") from None
    selector = root.find(f".//{{{WSMAN}}}Selector[@Name='ShellId']")
    return Envelope(
        action=(root.findtext(f".//{{{ADDRESSING}}}Action") or "").rpartition("/")[2],
        message_id=root.findtext(f".//{{{ADDRESSING}}}MessageID") or "",
        shell_id=selector.text.upper() if selector is not None and selector.text else None,
        root=root,
    )


def answer(request: Envelope, body: str) -> Response:
    """The answer to a request."""
    return _response(200, request.message_id, f"{request.action}Response", body)


def fault(error: WsmanFault, message_id: str) -> Response:
    """The answer that says what is wrong, which WinRM gives with status 500."""
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(error.message)}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{FAULT}" Code="{error.code}" Machine="vmm01">'
        f"<f:Message>{escape(error.message)}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _response(500, message_id, "fault", body)


def shell_created(request: Envelope, shell_id: str) -> Response:
    """A shell was opened."""
    body = (
        f"<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector>'
        f"</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId></rsp:Shell>"
    )
    return answer(request, body)


def shell_state(request: Envelope, shell_id: str) -> Response:
    """A shell is there."""
    state = f"<rsp:ShellId>{shell_id}</rsp:ShellId><rsp:State>Connected</rsp:State>"
    return answer(request, f"<rsp:Shell>{state}</rsp:Shell>")


def command_accepted(request: Envelope, command_id: str) -> Response:
    """A command was begun."""
    return answer(request, f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>")


def received(request: Envelope, data: bytes, ended: bool) -> Response:
    """What a command, or the shell itself, had to say."""
    of = f" CommandId={quoteattr(request.command_id)}" if request.command_id else ""
    stream = f'<rsp:Stream Name="stdout"{of}>{base64.b64encode(data).decode()}</rsp:Stream>'
    state = f'<rsp:CommandState{of} State="{SHELL}/CommandState/{"Done" if ended else "Running"}"/>' if of else ""
    return answer(request, f"<rsp:ReceiveResponse>{stream}{state}</rsp:ReceiveResponse>")


def _response(status: int, relates_to: str, action: str, body: str) -> Response:
    namespaces = (("s", SOAP), ("a", ADDRESSING), ("w", WSMAN), ("rsp", SHELL), ("x", TRANSFER))
    declared = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in namespaces)
    header = (
        f"<a:Action>{TRANSFER}/{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
    )
    envelope = f"<s:Envelope {declared}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    return Response(envelope, status, content_type=CONTENT_TYPE)
