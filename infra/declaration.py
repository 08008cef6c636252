"""Documents in the CDK's context: an object, or its JSON, refused with everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


class BadDeclaration(Exception):
    """A context value that cannot be used; the message names every mistake."""


def parsed(kind: type[T], name: str, value: object, mistakes: Callable[[T], Sequence[str]]) -> T:
    """The context value `name` as a `kind`; raises BadDeclaration for what it does not allow, or `mistakes` finds."""
    try:
        document = json.loads(value) if isinstance(value, str) else value
        declared = kind.model_validate(document)
    except json.JSONDecodeError as error:
        raise BadDeclaration(f"the context value `{name}` is not JSON: {error}") from error
    except ValidationError as error:
        raise _bad(name, [_said(name, it["loc"], it["msg"]) for it in error.errors(include_url=False)]) from error
    if found := mistakes(declared):
        raise _bad(name, found)
    return declared


def _said(name: str, location: tuple[int | str, ...], reason: str) -> str:
    return f"{'.'.join([name, *(str(part) for part in location)])}: {reason}"


def _bad(name: str, mistakes: Sequence[str]) -> BadDeclaration:
    return BadDeclaration("\n".join([f"the context value `{name}` cannot be used:", *(f"  {it}" for it in mistakes)]))
