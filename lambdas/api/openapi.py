"""The OpenAPI document of the API; `python -m lambdas.api.openapi > docs/openapi.json` renews the one that is kept.

It is made from the table of operations and from the types that the code answers with. No function makes it before
somebody asks: that takes a good part of a second.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

from pydantic import TypeAdapter

from lambdas.api.operations import (
    EVERYWHERE,
    OPERATIONS,
    PATH_PARAMETERS,
    Answer,
    Body,
    Operation,
    Parameter,
    PathParameter,
)
from lambdas.api.problems import CONTENT_TYPE, INTERNAL, Kind
from lambdas.api.shapes import GatewayMessage, Problem
from lambdas.core.request import SagaRequest
from lambdas.core.schema import WithoutTitles, request_schema

VERSION: Final = "1.1"
"""Of the API: the first number changes with what breaks callers, the second with what is added."""

_SCHEMAS: Final = "#/components/schemas/"
_JSON: Final = "application/json"

_DESCRIPTION: Final = """\
All-or-nothing provisioning across AWS, Azure, Google Cloud, vSphere and SCVMM: either everything that a request names \
exists at the end, or nothing of it. docs/api.md says what holds for every call.\
"""

_HEADERS: Final[Mapping[str, str]] = {
    "Allow": "The methods that the path takes.",
    "Cache-Control": "How long the document may be kept.",
    "ETag": "A strong tag over the whole document; a saga's begins with its version and a dot.",
    "Link": "Where the next page is, by its relation `next`; on the last page there is none.",
    "Location": "Where to look at what was accepted.",
    "Retry-After": "How many seconds to wait before the same call is made again.",
}

_SECURITY: Final[Mapping[str, Mapping[str, str]]] = {
    "signature": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
        "description": "AWS Signature Version 4 for the service `execute-api`.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the issuer that the deployment trusts, at the second address, where it has one.",
    },
}

_GATEWAY: Final[Mapping[int, tuple[str, str]]] = {
    401: ("NoToken", "The token is missing, wrong or expired: API Gateway's own answer."),
    429: ("TooMany", "Too many calls at once, of all callers together: API Gateway's own answer."),
}
_SHARED: Final = frozenset({403, 500, 503})
"""What API Gateway may answer, too, when the signature is wrong or the function is not there in time."""


def openapi() -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "skysaga", "version": VERSION, "description": _DESCRIPTION},
        "security": [{name: []} for name in _SECURITY],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": _responses(),
            "headers": {name: _header(name, about) for name, about in _HEADERS.items()},
            "securitySchemes": _SECURITY,
        },
    }


@cache
def document_text() -> str:
    """The document as it is kept in `docs/openapi.json`, and served."""
    return json.dumps(openapi(), indent=2) + "\n"


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [_path_parameter(it) for it in PATH_PARAMETERS if operation.path.startswith(it.beginning)]
    parameters += [_parameter(it) for it in operation.parameters]
    responses = {str(int(it.status)): _answer(it) for it in operation.answers}
    responses |= {str(status): {"$ref": f"#/components/responses/{name}"} for status, name in _refusals(operation)}
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        **({"security": []} if operation.public else {}),
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _body(operation.body)} if operation.body else {}),
        "responses": dict(sorted(responses.items())),
    }


def _path_parameter(parameter: PathParameter) -> dict[str, Any]:
    schema = {"type": "string", "pattern": parameter.pattern}
    about = parameter.description
    return {"name": parameter.name, "in": "path", "required": True, "description": about, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        **({"required": True} if parameter.required else {}),
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _body(body: Body) -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS + body.shape.__name__}
    return {"required": True, "content": {media_type: {"schema": schema} for media_type in body.media_types}}


def _answer(answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers}
    if answer.shape is not None:
        known = _is_ours(answer.shape)
        schema = {"$ref": _SCHEMAS + answer.shape.__name__} if known else {"type": "object"}
        response["content"] = {_JSON: {"schema": schema}}
    return response


def _refusals(operation: Operation) -> Iterator[tuple[int, str]]:
    """The ways in which an operation is refused: the status, and the name of the response."""
    for status, those in _by_status(operation):
        yield status, _response_name(those)
    for status, (name, _) in _GATEWAY.items():
        if status != HTTPStatus.UNAUTHORIZED or not operation.public:
            yield status, name


def _by_status(operation: Operation) -> Iterator[tuple[int, Sequence[Kind]]]:
    possible = (*operation.problems, *(() if operation.public else EVERYWHERE), INTERNAL)
    for status, those in groupby(sorted(possible, key=lambda it: (it.status, it.name)), key=lambda it: it.status):
        yield int(status), tuple(those)


def _response_name(those: Sequence[Kind]) -> str:
    return "Or".join("".join(word.capitalize() for word in it.name.split("-")) for it in those)


def _responses() -> dict[str, Any]:
    found = {_response_name(those): _problems(those) for it in OPERATIONS for _, those in _by_status(it)}
    return {**dict(sorted(found.items())), **{name: _gateway(about) for name, about in _GATEWAY.values()}}


def _problems(those: Sequence[Kind]) -> dict[str, Any]:
    status = int(those[0].status)
    content = {CONTENT_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    if status in _SHARED:
        content[_JSON] = {"schema": {"$ref": f"{_SCHEMAS}GatewayMessage"}}
    retry = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return {
        "description": " ".join(f"`{it.type}`: {it.title}." for it in those),
        **({"headers": retry} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
        "content": content,
    }


def _gateway(about: str) -> dict[str, Any]:
    return {"description": about, "content": {_JSON: {"schema": {"$ref": f"{_SCHEMAS}GatewayMessage"}}}}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "integer" if name == "Retry-After" else "string"}}


def _schemas() -> dict[str, Any]:
    shapes = [it.shape for operation in OPERATIONS for it in operation.answers if it.shape is not None]
    bodies = [it.body.shape for it in OPERATIONS if it.body is not None and it.body.shape is not SagaRequest]
    known = [it for it in (*shapes, *bodies, Problem, GatewayMessage) if _is_ours(it)]
    _, made = TypeAdapter.json_schemas(
        [(it.__name__, "serialization", TypeAdapter(it)) for it in dict.fromkeys(known)],
        ref_template=_SCHEMAS + "{model}",
        schema_generator=WithoutTitles,
    )
    return dict(sorted({**_request(), **made["$defs"]}.items()))


def _is_ours(shape: type[Any]) -> bool:
    return shape.__module__ == Problem.__module__


def _request() -> dict[str, Any]:
    """The schema of a request and all that it refers to, under names of this document."""
    schema: dict[str, Any] = json.loads(json.dumps(request_schema()).replace("#/$defs/", _SCHEMAS))
    definitions: dict[str, Any] = schema.pop("$defs")
    return {**definitions, "SagaRequest": {name: it for name, it in schema.items() if name not in ("$schema", "title")}}


if __name__ == "__main__":
    sys.stdout.write(document_text())
