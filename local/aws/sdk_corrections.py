"""How the SDK reads its own data, the descriptions of services and endpoints: as plain dictionaries, and not twice.

botocore reads them into ordered ones, from when others kept no order, and takes four times as long for that. In which
regions there is a service, moto asks a session of its own each time, and each reads all endpoints, and the service's
whole description for the one name by which they know it. The same data, in the same order, is what everybody gets.
"""

from __future__ import annotations

import gzip
import inspect
import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from botocore import hooks
from botocore.compat import accepts_kwargs
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader
from botocore.session import Session

DESCRIPTION: Final = "service-2"
"""What the SDK calls the file that describes a service."""

_HEAD_BYTES: Final = 2048
_ENDPOINT_PREFIX: Final = re.compile(rb'"endpointPrefix"\s*:\s*"([^"]+)"')

_available_partitions = Session.get_available_partitions


@cache
def correct_sdk() -> None:
    """Have it read so, in this process."""
    loader: Any = JSONFileLoader
    loader._load_file = _load_file
    emitter: Any = hooks
    emitter.accepts_kwargs = _accepts_kwargs
    session: Any = Session
    session.get_available_partitions = _get_available_partitions
    session.get_available_regions = _get_available_regions


@cache
def one_session() -> Session:
    """The session of this process: what it has read is there for everybody who asks it."""
    return Session()


def one_loader() -> Any:
    """Its botocore Loader, which reads each description once."""
    return one_session().get_component("data_loader")


def _accepts_kwargs(handler: Any) -> bool:
    """Whether a handler takes what it does not name: each of a session's three hundred is asked when one is made."""
    code = getattr(handler, "__code__", None)
    return bool(code.co_flags & inspect.CO_VARKEYWORDS if code else accepts_kwargs(handler))


def _load_file(_: JSONFileLoader, full_path: str, open_method: Callable[[str, str], Any]) -> Any:
    """What is in a file; None where there is none."""
    if not os.path.isfile(full_path):
        return None
    with open_method(full_path, "rb") as file:
        return json.loads(file.read())


def _get_available_partitions(_: Session) -> list[str]:
    """The parts that regions are in."""
    return list(_partitions())


@cache
def _partitions() -> tuple[str, ...]:
    return tuple(_available_partitions(one_session()))


def _get_available_regions(
    _: Session, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
) -> list[str]:
    """The regions of a partition in which there is a service."""
    return list(_regions(service_name, partition_name, allow_non_regional))


@cache
def _regions(service: str, partition: str, non_regional: bool) -> tuple[str, ...]:
    session: Any = one_session()
    try:
        prefix = _endpoint_prefix(one_loader(), service)
    except DataNotFoundError:
        return ()
    resolver = session._get_internal_component("endpoint_resolver")
    return tuple(resolver.get_available_endpoints(prefix, partition, non_regional))


def _endpoint_prefix(loader: Any, service: str) -> str:
    """By which name endpoints know a service: near the beginning of its description, of which no more is read."""
    version = loader.determine_latest_version(service, DESCRIPTION)
    for folder in loader.search_paths:
        file = Path(folder, service, version, f"{DESCRIPTION}.json.gz")
        if file.is_file():
            with gzip.open(file) as opened:
                if found := _ENDPOINT_PREFIX.search(opened.read(_HEAD_BYTES)):
                    return found.group(1).decode()
    metadata = loader.load_service_model(service, DESCRIPTION)["metadata"]
    return str(metadata.get("endpointPrefix", service))
