"""Which types of instances there are in a region, read when somebody asks: moto reads all regions' when it is imported.

That takes as long as importing the rest of its EC2, and a machine has to do with a region or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.utilities import utils

_FOLDER = "/instance_type_offerings/"

_load_resource = utils.load_resource


class Offerings(list[dict[str, Any]]):
    """The offerings in one file of moto's, each with its `LocationType`; moto only ever iterates over them.

    The first to do so is moto itself when it is imported, which would add the `LocationType`, and finds none.
    """

    def __init__(self, resource: str) -> None:
        super().__init__()
        self._resource = resource
        self._added_to = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._added_to:
            yield from _read(self._resource)
        self._added_to = True


@cache
def _read(resource: str) -> list[dict[str, Any]]:
    location_type = resource.split("/")[-2]
    return [{**it, "LocationType": location_type} for it in _load_resource(resource)]


def read_offerings_late() -> None:
    """Have moto's EC2, which is not imported yet, leave them for later."""
    utils.load_resource = _late


def _late(resource: str) -> Any:
    return Offerings(resource) if _FOLDER in resource else _load_resource(resource)
