"""Writes the API's client for Python from its OpenAPI document: `python -m checks.api_client > cli/api.py`.

It knows what docs/openapi.json makes use of, and no more of OpenAPI: anything else is an error, not a guess.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ruff import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "docs" / "openapi.json"

_JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/"
_PLAIN: Final[Mapping[str, str]] = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_WIDTH: Final = 108

_HEAD: Final = '''\
"""The HTTP API from Python: its documents as types, and a method for each of its operations.

Written by `python -m checks.api_client > cli/api.py` from docs/openapi.json; not to be changed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Generic, Literal, NamedTuple, NotRequired, Protocol, TypedDict, TypeVar
from urllib.parse import quote

VERSION: Final = {version!r}
"""Of the API that this was written for."""

D = TypeVar("D")
'''

_CALLING: Final = '''
class Answer(NamedTuple, Generic[D]):
    """What a call was answered with; headers are by their name in lower case."""

    status: int
    headers: Mapping[str, str]
    document: D


class Transport(Protocol):
    """Carries calls to the API, and signs them."""

    def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> Answer[Any]:
        """Make one call, whatever comes of it; the document is None where there is none.

        `path` is quoted and begins with a slash, `query` is not quoted; raises what it likes when nobody answers.
        """
        ...


class NotModified(Exception):
    """What the caller has, by its tag, is still the same."""


class Refused(Exception):
    """The API, or API Gateway before it, said no; `problem` says why, `headers` perhaps when to come again."""

    def __init__(self, status: int, headers: Mapping[str, str], problem: Problem) -> None:
        super().__init__(f"{status} {problem['title']}")
        self.status = status
        self.headers = headers
        self.problem = problem


class Api:
    """Every operation of the API; each raises Refused, and what its transport raises."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
'''

_TAIL: Final = '''
    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | float | None] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
    ) -> Answer[Any]:
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        answer = self._transport.send(method, path, asked, sent, body)
        if answer.status == 304:
            raise NotModified
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, answer.headers, _problem(answer))
        return answer


def _problem(answer: Answer[Any]) -> Problem:
    """The problem document, or one for what API Gateway says by itself."""
    document = answer.document if isinstance(answer.document, dict) else {}
    problem: Problem = {
        "type": document.get("type", "about:blank"),
        "title": document.get("title") or document.get("message") or "The call was refused",
        "status": answer.status,
        "errors": document.get("errors", []),
    }
    if "detail" in document:
        problem["detail"] = document["detail"]
    return problem
'''


class UnknownForm(Exception):
    """The document has something that this does not know how to write."""


def client_text(document: Mapping[str, Any]) -> str:
    """The module that stands for an OpenAPI document, as ruff formats it; raises UnknownForm."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    operations = list(_operations(document))
    names = sorted(_reached(schemas, ["Problem", *(name for it in operations for name in _mentioned(it))]))
    aliases = [_alias(name, schemas[name]) for name in names if "enum" in schemas[name]]
    types = [it for it in names if "enum" not in schemas[it]]
    plain = [_class(name, schemas[name]) for name in types if _is_plain(schemas[name])]
    odd = [_call_form(name, schemas[name]) for name in types if not _is_plain(schemas[name])]
    methods = [_method(method, path, operation) for method, path, operation in _entries(document)]
    head = _HEAD.format(version=document["info"]["version"])
    client = "\n".join([_CALLING, "\n\n".join(methods), _TAIL])
    return _formatted("\n\n".join([head, *aliases, *plain, *odd, client]))


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _operations(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (operation for _, _, operation in _entries(document))


def _mentioned(operation: Mapping[str, Any]) -> list[str]:
    """The schemas that a method's signature names."""
    found = [_name(answer)] if "$ref" in (answer := _answer_schema(operation)) else []
    found += [_name(it["schema"]) for it in operation.get("parameters", ()) if "$ref" in it["schema"]]
    return [*found, *([_name(schema)] if (schema := _json_body(operation)) else [])]


def _answer_schema(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    good = [it for status, it in operation["responses"].items() if status.startswith("2")]
    if len(good) != 1:
        raise UnknownForm(f"{operation['operationId']} has {len(good)} good answers")
    schema: Mapping[str, Any] = good[0]["content"][_JSON]["schema"]
    return schema


def _json_body(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a document that is JSON and nothing else; of any other the caller makes the bytes."""
    content: Mapping[str, Any] = operation.get("requestBody", {}).get("content", {})
    return content[_JSON]["schema"] if list(content) == [_JSON] else None


def _reached(schemas: Mapping[str, Any], names: Sequence[str]) -> set[str]:
    reached: set[str] = set()
    todo = list(names)
    while todo:
        if (name := todo.pop()) not in reached:
            reached.add(name)
            todo += re.findall(f'"{_SCHEMAS}([^"]+)"', json.dumps(schemas[name]))
    return reached


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix(_SCHEMAS)


def _type(schema: Mapping[str, Any]) -> str:
    """What a JSON Schema is in Python."""
    match schema:
        case {"$ref": _}:
            written = _name(schema)
        case {"const": value}:
            written = f"Literal[{value!r}]"
        case {"enum": values}:
            written = f"Literal[{', '.join(map(repr, values))}]"
        case {"anyOf": ways}:
            written = " | ".join(map(_type, ways))
        case {"type": "array", "items": items}:
            written = f"list[{_type(items)}]"
        case {"type": "object"} if "properties" not in schema:
            values = schema.get("additionalProperties", True)
            written = f"dict[str, {'Any' if values is True else _type(values)}]"
        case {"type": str(plain)} if plain in _PLAIN:
            written = _PLAIN[plain]
        case _:
            raise UnknownForm(f"a schema: {json.dumps(schema)}")
    return written


def _field_type(schema: Mapping[str, Any], name: str) -> str:
    written = _type(schema["properties"][name])
    return written if name in schema.get("required", ()) else f"NotRequired[{written}]"


def _is_plain(schema: Mapping[str, Any]) -> bool:
    return not any(keyword.iskeyword(name) for name in schema["properties"])


def _alias(name: str, schema: Mapping[str, Any]) -> str:
    return f"{name} = {_type(schema)}\n{_docstring(schema)}"


def _class(name: str, schema: Mapping[str, Any]) -> str:
    lines = [f"class {name}(TypedDict):", _docstring(schema, "    "), ""]
    for field, about in schema["properties"].items():
        lines.append(f"    {field}: {_field_type(schema, field)}")
        if "description" in about:
            lines.append(_docstring(about, "    "))
    return "\n".join(lines)


def _call_form(name: str, schema: Mapping[str, Any]) -> str:
    """A type with a field whose name is a word of Python's own."""
    fields = [f"    {field!r}: {_field_type(schema, field)!r}," for field in schema["properties"]]
    return "\n".join([f"{name} = TypedDict({name!r}, {{", *fields, "})", _docstring(schema)])


def _docstring(schema: Mapping[str, Any], indent: str = "", notes: Sequence[str] = ()) -> str:
    """What a schema says of itself, each paragraph filled, and a list of notes."""
    paragraphs = [" ".join(it.split()) for it in re.split(r"\n\n+", schema.get("description", "").strip())]
    first, *rest = (textwrap.fill(it, _WIDTH, subsequent_indent=indent) for it in paragraphs)
    listed = [textwrap.fill(f"- {it}", _WIDTH, subsequent_indent=f"{indent}  ") for it in notes]
    blocks = [first, *rest, *([f"\n{indent}".join(listed)] if listed else [])]
    end = f"\n{indent}" if len(blocks) > 1 else ""
    return f'{indent}"""' + f"\n\n{indent}".join(blocks) + f'{end}"""'


def _method(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    return "\n".join(
        [
            f"    def {_snake(operation['operationId'])}({', '.join(_arguments(operation, parameters))})"
            f" -> Answer[{_type(_answer_schema(operation))}]:",
            _about(operation),
            f"        return self._call({', '.join(_passed(method, path, operation, parameters))})",
        ]
    )


def _about(operation: Mapping[str, Any]) -> str:
    ways = "; raises NotModified" if "304" in operation["responses"] else ""
    notes = [f"{_identifier(it['name'])}: {it['description']}" for it in operation.get("parameters", ())]
    return _docstring({"description": f"{operation['summary']}{ways}."}, "        ", notes)


def _arguments(operation: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "self"
    yield from (f"{it['name']}: str" for it in parameters if it["in"] == "path")
    if body := _json_body(operation):
        yield f"document: {_name(body)}"
    elif "requestBody" in operation:
        yield "document: bytes"
        yield f"media_type: Literal[{', '.join(map(repr, operation['requestBody']['content']))}]"
    named = [it for it in parameters if it["in"] != "path"]
    if named:
        yield "*"
    for it in named:
        usual = "" if it.get("required") else " | None = None"
        yield f"{_identifier(it['name'])}: {_type(_undefaulted(it['schema']))}{usual}"


def _undefaulted(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in schema.items() if name != "default"}


def _passed(
    method: str, path: str, operation: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    quoted = re.sub(r"\{(\w+)\}", r"{quote(\1, safe='')}", path)
    yield repr(method)
    yield f'f"{quoted}"' if quoted != path else repr(path)
    headers = [f"{it['name']!r}: {_identifier(it['name'])}" for it in parameters if it["in"] == "header"]
    query = [f"{it['name']!r}: {_identifier(it['name'])}" for it in parameters if it["in"] == "query"]
    body = ""
    if "requestBody" in operation:
        body = "json.dumps(document).encode()" if _json_body(operation) else "document"
        headers = [f"'Content-Type': {repr(_JSON) if _json_body(operation) else 'media_type'}", *headers]
    if query:
        yield f"query={{{', '.join(query)}}}"
    if headers:
        yield f"headers={{{', '.join(headers)}}}"
    if body:
        yield f"body={body}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _identifier(name: str) -> str:
    written = name.lower().replace("-", "_")
    return f"{written}_" if keyword.iskeyword(written) else written


def _formatted(text: str) -> str:
    """As the project's own code is; ruff's settings are found by the name of the file that it is meant for."""
    command = [find_ruff_bin(), "format", "--stdin-filename", str(ROOT / "cli" / "api.py"), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(client_text(json.loads(DOCUMENT.read_text())))
