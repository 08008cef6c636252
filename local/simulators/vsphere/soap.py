"""The wire: SOAP requests as calls of the API's methods, answers and faults as SOAP, by pyVmomi's own type system."""

from __future__ import annotations

import copy
from typing import Any, Final, NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape

from pyVmomi import SoapAdapter, VmomiSupport, vmodl
from werkzeug.wrappers import Response

VERSION: Final = "vim.version.v7_0"
NAMESPACE: Final = "urn:vim25"
FETCH: Final = "Fetch"
"""What pyvmomi calls when somebody reads a property as an attribute; no page of the API describes it."""


_START: Final = f"{SoapAdapter.XML_HEADER}\n{SoapAdapter.SOAP_ENVELOPE_START}{SoapAdapter.SOAP_BODY_START}"
_END: Final = f"{SoapAdapter.SOAP_BODY_END}{SoapAdapter.SOAP_ENVELOPE_END}"
_METHOD_DEPTH: Final = 2


class Call(NamedTuple):
    """A call: the method's name, the id of what it is called on, its arguments by name, and what the header says."""

    method: str
    this: str
    arguments: dict[str, Any]
    header: dict[str, str]


class NotSoap(Exception):
    """What came is no call of a method of the API."""


def parse(body: bytes) -> Call:
    """The call that a request's body makes; raises NotSoap."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except (ExpatError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise NotSoap(str(error)) from error
    return reader.call()


def answer(method: str, result: Any, type_: Any = None) -> Response:
    """The answer of a method, None where it returns or finds nothing; `type_` is of the property that Fetch reads."""
    returned = "" if result is None else _serialized("returnval", type_ or _method(method).result, result)
    return _response(200, f'<{method}Response xmlns="{NAMESPACE}">{returned}</{method}Response>')


def refusal(fault: Any) -> Response:
    """A fault as the API raises it: HTTP 500, with the fault's own type in the detail."""
    name = f"{fault._wsdlName}Fault"
    field = VmomiSupport.Object(name=name, type=object, version=VERSION, flags=0)
    silent = copy.copy(fault)
    silent.msg = None
    detail = SoapAdapter.SerializeFaultDetail(silent, field, VERSION, _namespaces())
    detail = detail.replace(f"<{name}", f'<{name} xmlns="{NAMESPACE}"', 1)
    text = escape(str(fault.msg or fault._wsdlName))
    return _response(
        500,
        f"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{text}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>",
    )


def _serialized(name: str, type_: Any, value: Any) -> str:
    field = VmomiSupport.Object(name=name, type=type_, version=VERSION, flags=0)
    return str(SoapAdapter.SerializeToStr(value, field, VERSION, _namespaces()))


def _namespaces() -> dict[str, str]:
    return {**SoapAdapter.SOAP_NSMAP, NAMESPACE: ""}


def _response(status: int, inner: str) -> Response:
    return Response(f"{_START}{inner}{_END}", status, content_type="text/xml; charset=utf-8")


def _method(name: str) -> Any:
    """The description of a method, every class that it needs loaded; raises KeyError."""
    return VmomiSupport.GetWsdlMethod(NAMESPACE, name).info


class _Reader(SoapAdapter.ExpatDeserializerNSHandlers):
    """Walks a request down to its arguments and has pyVmomi read each, by the type that the method declares."""

    def __init__(self) -> None:
        super().__init__({})  # type: ignore[no-untyped-call]  # pyVmomi's own
        self.parser = ParserCreate(namespace_separator=SoapAdapter.NS_SEP)
        self.parser.buffer_text = True
        SoapAdapter.SetHandlers(self.parser, SoapAdapter.GetHandlers(self))
        self._path: list[str] = []
        self._text = ""
        self._this = ""
        self._header: dict[str, str] = {}
        self._arguments: list[tuple[str, bool, Any]] = []
        self._types: dict[str, Any] = {}
        self._called = ""

    def call(self) -> Call:
        """What was read; raises NotSoap where no method was called on anything."""
        if not self._called or not self._this:
            raise NotSoap("no method is called on anything")
        arguments: dict[str, Any] = {}
        for name, many, reader in self._arguments:
            if many:
                arguments.setdefault(name, []).append(reader.GetResult())
            else:
                arguments[name] = reader.GetResult()
        return Call(self._called, self._this, arguments, self._header)

    def StartElementHandler(self, tag: str, attributes: dict[str, str]) -> None:  # noqa: N802 -- pyVmomi's name for it
        name = tag.rpartition(SoapAdapter.NS_SEP)[2]
        depth = len(self._path)
        if depth > _METHOD_DEPTH and self._path[1] == "Body" and name != "_this":
            self._read_argument(tag, name, attributes)
            return
        if depth == _METHOD_DEPTH and self._path[1] == "Body":
            self._called = name
            self._types = {"prop": str} if name == FETCH else {it.name: it.type for it in _method(name).params}
        self._path.append(name)
        self._text = ""

    def CharacterDataHandler(self, data: str) -> None:  # noqa: N802 -- pyVmomi's name for it
        self._text += data

    def EndElementHandler(self, tag: str) -> None:  # noqa: N802 -- pyVmomi's name for it
        name = self._path.pop()
        if name == "_this":
            self._this = self._text
        elif self._path[-1:] == ["Header"]:
            self._header[name] = self._text

    def _read_argument(self, tag: str, name: str, attributes: dict[str, str]) -> None:
        type_ = self._types[name]
        many = isinstance(type_, type) and issubclass(type_, list)
        reader = SoapAdapter.SoapDeserializer(None, VERSION)
        reader.Deserialize(self.parser, type_.Item if many else type_, False, self.nsMap)
        self._arguments.append((name, many, reader))
        reader.StartElementHandler(tag, attributes)


def invalid_request(text: str) -> Any:
    """The fault for a call that makes no sense."""
    return vmodl.fault.InvalidRequest(msg=text)
