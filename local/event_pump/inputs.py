"""What a target is told: the event, a part of it, a fixed text, or a document made from it.

Source: EventBridge user guide, "Amazon EventBridge input transformation".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from local.event_pump.deployed import Target
from local.event_pump.errors import NotSupported

_PATH: Final = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[\d+\])*")
_STEP: Final = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]")
_PLACEHOLDER: Final = re.compile(r"<([A-Za-z0-9_.-]+)>")
_OURS: Final = ("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event")
_NOTHING: Final = object()


def check(target: Target) -> None:
    """Raise NotSupported for paths and placeholders that cannot be filled."""
    paths = [*target.input_paths.values(), *([target.input_path] if target.input_path else [])]
    for path in paths:
        if not _PATH.fullmatch(path):
            raise NotSupported(f"the path {path!r}: only names and places, such as $.detail.items[0]")
    for name in _PLACEHOLDER.findall(target.input_template or ""):
        if name not in target.input_paths and name not in _OURS:
            raise NotSupported(f"the input template's <{name}> has no path")


def render(target: Target, event: Mapping[str, Any], rule: str = "", rule_arn: str = "") -> str:
    """The text that the target is given."""
    if target.input is not None:
        return target.input
    if target.input_template is not None:
        ours = dict(zip(_OURS, (rule_arn, rule, event.get("time"), event), strict=True))
        values = {**ours, **{name: _at(event, path) for name, path in target.input_paths.items()}}
        return _fill(target.input_template, values)
    if target.input_path is not None:
        found = _at(event, target.input_path)
        return "null" if found is _NOTHING else json.dumps(found)
    return json.dumps(event)


def _at(event: Any, path: str) -> Any:
    for name, place in _STEP.findall(path):
        try:
            event = event[name] if name else event[int(place)]
        except (KeyError, IndexError, TypeError):
            return _NOTHING
    return event


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Fill placeholders: inside quotation marks as text, elsewhere as JSON; what the event lacks is empty text."""
    quoted = False
    filled = []
    position = 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[position : match.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        filled += [between, _shown(values[match[1]], quoted)]
        position = match.end()
    return "".join([*filled, template[position:]])


def _shown(value: Any, quoted: bool) -> str:
    if value is _NOTHING:
        return "" if quoted else '""'
    if not quoted:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
