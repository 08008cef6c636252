"""Which route of an HTTP API a request takes.

Source: "Create routes for HTTP APIs": a full match comes first, then one with a greedy path variable, then $default;
among equals a fixed segment beats a variable and a method beats ANY. Unverified: a trailing slash makes another path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from local.http_api.deployed import DeployedHttpApi, Route

DEFAULT = "$default"
_LAST = (2,)
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True)
class RouteMatch:
    """The route and stage of a request, with its path parameters decoded."""

    route: Route
    stage: str
    parameters: dict[str, str]


def match_route(api: DeployedHttpApi, method: str, raw_path: str) -> RouteMatch | None:
    """Return the route for `raw_path`, still percent-encoded and without its query; None is a 404."""
    stage, path = _split_stage(api, raw_path)
    if stage is None:
        return None
    matches: list[tuple[tuple[int, ...], Route, dict[str, str]]] = []
    for route in api.routes:
        route_method, _, pattern = route.key.partition(" ")
        if route.key == DEFAULT:
            matches.append((_LAST, route, {}))
        elif route_method in (method, "ANY") and (parameters := _parameters(pattern, path)) is not None:
            matches.append(((*_specificity(pattern), int(route_method == "ANY")), route, parameters))
    if not matches:
        return None
    _, route, parameters = min(matches, key=lambda match: match[0])
    return RouteMatch(route, stage, parameters)


def _split_stage(api: DeployedHttpApi, raw_path: str) -> tuple[str | None, str]:
    first, slash, rest = raw_path.removeprefix("/").partition("/")
    if first != DEFAULT and first in api.stages:
        return first, slash + rest or "/"
    return (DEFAULT if DEFAULT in api.stages else None), raw_path or "/"


def _parameters(pattern: str, path: str) -> dict[str, str] | None:
    expression, names = _compiled(pattern)
    found = expression.fullmatch(path)
    return dict(zip(names, map(unquote, found.groups()), strict=True)) if found else None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    segments, names = [], []
    for segment in pattern.split("/"):
        if variable := _VARIABLE.fullmatch(segment):
            names.append(variable[1])
            segments.append("(.+)" if variable[2] else "([^/]+)")
        else:
            segments.append(re.escape(segment))
    return re.compile("/".join(segments)), names


@lru_cache(maxsize=1024)
def _specificity(pattern: str) -> tuple[int, ...]:
    """Rank a pattern, lowest first: greedy ones last, then by the first segment that is a variable."""
    segments = pattern.split("/")
    return int(pattern.endswith("+}")), *(int(segment.startswith("{")) for segment in segments)
