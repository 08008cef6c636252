"""The request document that a command is given: a file, or what comes in on stdin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, Literal, NamedTuple

import yaml

from cli.failures import BAD_INPUT, Failure

STDIN: Final = "-"

_MOST_BYTES: Final = 4 * 1024 * 1024
"""More may not even reach the API, which would say so."""

_JSON: Final = "application/json"
_YAML: Final = "application/yaml"

MediaType = Literal["application/json", "application/yaml"]


class RequestDocument(NamedTuple):
    """A document as it goes to the API, and its media type."""

    content: bytes
    media_type: MediaType


def read_document(name: str) -> RequestDocument:
    """The document in a file, or on stdin where its name is `-`; ends the command where there is none.

    YAML is told from JSON by its name, and without one by how it begins. That it is YAML at all is looked at here, so
    that a mistake is shown with its line without anybody being asked.
    """
    content = _read(name)
    where = "stdin" if name == STDIN else name
    if len(content) > _MOST_BYTES:
        message = f"{where} has {len(content)} bytes; at most {_MOST_BYTES} are accepted: make several requests of it."
        raise Failure(message, BAD_INPUT)
    if not content.strip():
        raise Failure(f"{where} is empty: it must hold a request (docs/request.schema.json).", BAD_INPUT)
    if name.endswith(".json") or (name == STDIN and content.lstrip().startswith(b"{")):
        return RequestDocument(content, _JSON)
    try:
        for _ in yaml.parse(content, yaml.CSafeLoader):
            pass
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{where} is not YAML: {_reason(error)}\nMend the file and repeat the command; nothing was sent."
        raise Failure(message, BAD_INPUT) from error
    return RequestDocument(content, _YAML)


def _read(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}. Give the file that holds the request, or - for stdin."
        raise Failure(message, BAD_INPUT) from error


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1} column {mark.column + 1}"
    return "it holds characters that YAML does not allow, or is not UTF-8"
