"""The PropertyCollector: from each object along the traversals to others, their properties, page by page.

As https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/vmodl.query.PropertyCollector.html describes it:
an object that cannot be found is a fault where it is named, and left out where it is only led to; so are properties
that are unset.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from pyVmomi import vmodl

from local.simulators.vsphere.inventory import Inventory, Thing
from local.simulators.vsphere.properties import typed, value_of

_Collector: Any = vmodl.query.PropertyCollector

Hidden = Callable[[Thing], bool]
"""Whether a read does not see something yet."""


class Pages:
    """What was found and not fetched yet, by the token that fetches it; each fetches once."""

    def __init__(self) -> None:
        self._rest: dict[str, tuple[list[Any], int]] = {}

    def first(self, found: list[Any], size: int) -> Any | None:
        """The first page, with a token if there is more; None for nothing."""
        if not found:
            return None
        page, rest = found[:size], found[size:]
        token = None
        if rest:
            token = uuid.uuid4().hex
            self._rest[token] = (rest, size)
        return _Collector.RetrieveResult(token=token, objects=page)

    def next(self, token: str) -> Any | None:
        """The next page of the same size; raises InvalidArgument for a token that is not, or no longer, valid."""
        if token not in self._rest:
            raise vmodl.fault.InvalidArgument(
                invalidProperty="token", msg="A specified parameter was not correct: token"
            )
        return self.first(*self._rest.pop(token))

    def cancel(self, token: str) -> None:
        """Forget what a token stands for."""
        self._rest.pop(token, None)


def collect(inventory: Inventory, specs: list[Any], hidden: Hidden) -> list[Any]:
    """The contents of all objects that the filter specs select."""
    found = []
    for spec in specs:
        for thing in _selected(inventory, spec.objectSet, hidden).values():
            paths = _paths(thing, spec.propSet)
            if paths is not None:
                found.append(_content(inventory, thing, paths))
    return found


def _selected(inventory: Inventory, object_set: list[Any], hidden: Hidden) -> dict[str, Thing]:
    selected: dict[str, Thing] = {}
    for start in object_set:
        thing = inventory.find(start.obj._GetMoId())
        if thing is None or hidden(thing):
            raise vmodl.fault.ManagedObjectNotFound(
                obj=start.obj, msg=f"The object '{start.obj._GetMoId()}' has already been deleted"
            )
        if not start.skip:
            selected[thing.id] = thing
        named = {it.name: it for it in _traversals(start.selectSet) if it.name}
        _follow(inventory, thing, start.selectSet, named, selected, set(), hidden)
    return selected


def _traversals(selections: list[Any]) -> Iterator[Any]:
    for selection in selections:
        if isinstance(selection, _Collector.TraversalSpec):
            yield selection
            yield from _traversals(selection.selectSet)


def _follow(
    inventory: Inventory,
    thing: Thing,
    selections: list[Any],
    named: dict[str, Any],
    selected: dict[str, Thing],
    gone: set[tuple[str, str]],
    hidden: Hidden,
) -> None:
    for selection in selections:
        step = selection if isinstance(selection, _Collector.TraversalSpec) else named[selection.name]
        if not issubclass(thing.kind, step.type) or (thing.id, step.path) in gone:
            continue
        gone.add((thing.id, step.path))
        for other in _led_to(inventory, thing, step.path):
            if hidden(other):
                continue
            if not step.skip:
                selected[other.id] = other
            _follow(inventory, other, step.selectSet, named, selected, gone, hidden)


def _led_to(inventory: Inventory, thing: Thing, path: str) -> list[Thing]:
    value = value_of(inventory, thing, path)
    refs = value if isinstance(value, list) else [value]
    things = (inventory.find(ref._GetMoId()) for ref in refs if ref is not None)
    return [it for it in things if it is not None]


def _paths(thing: Thing, prop_set: list[Any]) -> list[str] | None:
    """The properties asked for of a thing; None where nobody asks for its type."""
    matching = [it for it in prop_set if issubclass(thing.kind, it.type)]
    if not matching:
        return None
    return list(dict.fromkeys(str(path) for it in matching for path in it.pathSet))


def _content(inventory: Inventory, thing: Thing, paths: list[str]) -> Any:
    values = ((path, value_of(inventory, thing, path)) for path in paths)
    properties = [
        vmodl.DynamicProperty(name=path, val=typed(thing, path, value))
        for path, value in values
        if value is not None and not (isinstance(value, list) and not value)
    ]
    return _Collector.ObjectContent(obj=thing.ref(), propSet=properties)
