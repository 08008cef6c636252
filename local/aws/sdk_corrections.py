"""How the SDK reads its own data, the descriptions of services and endpoints: as plain dictionaries, and not twice.

botocore reads them into ordered ones, from when others kept no order, and takes four times as long for that. In which
regions there is a service, moto asks a session of its own each time, and each reads the service's whole description.
The same data, in the same order, is what everybody gets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader
from botocore.session import Session

_available_regions = Session.get_available_regions


@cache
def correct_sdk() -> None:
    """Have it read so, in this process."""
    loader: Any = JSONFileLoader
    loader._load_file = _load_file
    session: Any = Session
    session.get_available_regions = _get_available_regions


def _load_file(_: JSONFileLoader, full_path: str, open_method: Callable[[str, str], Any]) -> Any:
    """What is in a file; None where there is none."""
    if not os.path.isfile(full_path):
        return None
    with open_method(full_path, "rb") as file:
        return json.loads(file.read())


def _get_available_regions(
    _: Session, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
) -> list[str]:
    """The regions of a partition in which there is a service."""
    return list(_regions(service_name, partition_name, allow_non_regional))


@cache
def _regions(service: str, partition: str, non_regional: bool) -> tuple[str, ...]:
    return tuple(_available_regions(_any_session(), service, partition, non_regional))


@cache
def _any_session() -> Session:
    return Session()
