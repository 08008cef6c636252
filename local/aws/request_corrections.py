"""What moto finds out anew for every request and value: found out once, since it is always the same.

Which methods a service has, which services there are, how each is described, and under which names a member of an
answer may be kept. Tags of one resource are looked for among all tags, and one tag of it among copies of all that it
has. Each route of a service comes with compiled code that makes addresses of it, and nobody asks for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import cache
from typing import Any, Final

from moto import backends
from moto.core import responses, utils
from moto.core.loaders import create_loader
from moto.core.serialize import XFormedAttributePicker
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend
from werkzeug.routing import Rule

from local.aws.sdk_corrections import one_loader, one_session

_compile_builder = Rule._compile_builder
_modules = backends.list_of_moto_modules
_method_names = responses.method_names_from_class
_possible_keys = XFormedAttributePicker.get_possible_keys
_describe_tags = TagBackend.describe_tags
_filter_value = TaggedEC2Resource.get_filter_value

_KNOWN: Final = "_skysaga_possible_keys"
_ID: Final = re.compile(r"[a-z]+-[0-9a-f]+")


def correct_requests() -> None:
    """Have moto find these out once."""
    backends.list_of_moto_modules = cache(lambda: tuple(_modules()))
    responses.method_names_from_class = cache(lambda kind: frozenset(_method_names(kind)))
    # These look through the folders of all services, for one service's description or one package's errors.
    utils.Session = one_session
    utils._load_service_model = _description_once
    XFormedAttributePicker.get_possible_keys = _keys_once
    Rule._compile_builder = _builder_when_asked  # type: ignore[method-assign,assignment]  # it takes no other way
    TagBackend.describe_tags = _tags_of_one
    TaggedEC2Resource.get_filter_value = _value_of_tag


@cache
def _motos_loader() -> Any:
    return create_loader()


def _description_once(service: str, kind: str) -> Any:
    """A service's description: the SDK's own, which clients have read, where moto and the SDK add nothing to it."""
    shared, motos = one_loader(), _motos_loader()
    version = shared.determine_latest_version(service, kind)
    if any(added for it in (shared, motos) for added in it._find_extras(service, kind, version)):
        return motos.load_service_model(service, kind)
    return shared.load_service_model(service, kind)


def _builder_when_asked(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """What makes a route's address, compiled when one is wanted: moto has hundreds of routes, and wants none."""

    @cache
    def compiled() -> Callable[..., tuple[str, str]]:
        return _compile_builder(rule, append_unknown)

    def build(bound: Rule, **values: Any) -> tuple[str, str]:
        return compiled()(bound, **values)

    return build


def _keys_once(picker: Any, context: Any) -> Iterable[str]:
    """Under which names a value may be: the same for each member of a shape and each type of what holds it."""
    known = vars(context.shape).setdefault(_KNOWN, {})
    holder = type(context.obj)
    if (context.key, holder) not in known:
        known[context.key, holder] = tuple(dict.fromkeys(_possible_keys(picker, context)))
    keys: tuple[str, ...] = known[context.key, holder]
    return keys


def _tags_of_one(backend: Any, filters: Mapping[str, list[str]] | None = None) -> Any:
    """Find tags, where resources are asked for by id only among theirs."""
    ids = (filters or {}).get("resource-id", [])
    if not ids or not all(_ID.fullmatch(it) for it in ids):
        return _describe_tags(backend, filters)
    theirs = copy(backend)
    theirs.tags = {it: backend.tags[it] for it in backend.tags if it in ids} if len(ids) > 1 else _one(backend, ids[0])
    return _describe_tags(theirs, filters)


def _one(backend: Any, resource_id: str) -> dict[str, dict[str, str]]:
    return {resource_id: backend.tags[resource_id]} if resource_id in backend.tags else {}


def _value_of_tag(resource: Any, filter_name: str, method_name: str | None = None) -> Any:
    """What a resource is filtered by: a list by tags asks this of everything that there is."""
    kind, _, tag = filter_name.partition(":")
    if kind != "tag" or not _ID.fullmatch(resource.id or ""):
        return _filter_value(resource, filter_name, method_name)
    return resource.ec2_backend.tags.get(resource.id, {}).get(tag)
