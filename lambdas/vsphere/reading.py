"""Reading many properties of many things in few calls: vSphere's PropertyCollector, page by page.

What to read is said as traversals: from where, along which references, and which properties of which type. See
https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/vmodl.query.PropertyCollector.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pyVmomi import vim, vmodl

Collector = vmodl.query.PropertyCollector

PAGE: Final = 500
"""Objects in one answer at most; the server may give fewer, and a token for the rest."""


class Along(NamedTuple):
    """One kind of step from a thing to others: from a type, by its property, and on from there by the steps named."""

    name: str
    type: type
    property: str
    then: tuple[str, ...] = ()


class Found(NamedTuple):
    """One thing, and those of its properties that were asked for and that it has."""

    ref: Any
    properties: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """A property, or `default` where it has none."""
        value = self.properties.get(path)
        return default if value is None else value


FOLDERS: Final = "folders"

INTO_FOLDERS: Final = Along(FOLDERS, vim.Folder, "childEntity", (FOLDERS, "hosts", "machines"))
TO_CLUSTERS: Final = (INTO_FOLDERS, Along("hosts", vim.Datacenter, "hostFolder", (FOLDERS,)))
TO_MACHINES: Final = (INTO_FOLDERS, Along("machines", vim.Datacenter, "vmFolder", (FOLDERS,)))


def read(collector: Any, root: Any, steps: Sequence[Along], wanted: Mapping[Any, Sequence[str]]) -> list[Found]:
    """The `wanted` properties, by type, of `root` and of all that the steps lead to, each thing once.

    Every step is also tried from the root itself. Raises ManagedObjectNotFound where the root is gone.
    """
    known = {step.name for step in steps}
    selections = [_selection(step, known) for step in steps]
    spec = Collector.FilterSpec(
        objectSet=[Collector.ObjectSpec(obj=root, skip=False, selectSet=selections)],
        propSet=[Collector.PropertySpec(type=type_, all=False, pathSet=list(paths)) for type_, paths in wanted.items()],
    )
    found = {content.obj._GetMoId(): _found(content) for content in _pages(collector, spec)}
    return list(found.values())


def read_one(collector: Any, ref: Any, paths: Sequence[str]) -> Found | None:
    """The properties of one thing; None where it is gone, or not there yet."""
    try:
        found = read(collector, ref, (), {type(ref): paths})
    except vmodl.fault.ManagedObjectNotFound:
        return None
    return found[0] if found else None


def _selection(step: Along, known: set[str]) -> Any:
    onward = [Collector.SelectionSpec(name=name) for name in step.then if name in known]
    return Collector.TraversalSpec(name=step.name, type=step.type, path=step.property, skip=False, selectSet=onward)


def _pages(collector: Any, spec: Any) -> Iterator[Any]:
    page = collector.RetrievePropertiesEx([spec], Collector.RetrieveOptions(maxObjects=PAGE))
    while page is not None:
        yield from page.objects
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None


def _found(content: Any) -> Found:
    return Found(content.obj, {it.name: it.val for it in content.propSet})
