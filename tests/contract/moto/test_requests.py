"""What is found out once for all requests, held to what moto finds out anew for each."""

from __future__ import annotations

from typing import Any

import pytest
from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses import EC2Response

from local.aws import request_corrections
from local.aws.moto_corrections import correct_moto


@pytest.fixture(autouse=True)
def _corrected() -> None:
    correct_moto()


class Instance:
    """What holds a value under a name of its own, as moto's models do."""

    class Meta:
        serialization_aliases = {"InstanceId": "id"}  # noqa: RUF012 -- as in moto


def contexts() -> list[AttributePickerContext]:
    model = get_service_model("ec2")
    shapes = [model.shape_for(it) for it in ("Instance", "Volume", "Reservation")]
    members = [(shape, key, member) for shape in shapes for key, member in shape.members.items()]
    for shape, _, member in members:
        member.parent = shape
    holders: tuple[Any, ...] = ({}, Instance(), None)
    return [AttributePickerContext(obj, key, member) for _, key, member in members for obj in holders]


def test_a_value_is_looked_for_under_the_same_names_in_the_same_order() -> None:
    picker: Any = XFormedAttributePicker()
    assert len(contexts()) > 200
    for context in contexts():
        expected = list(dict.fromkeys(request_corrections._possible_keys(picker, context)))
        assert [list(picker.get_possible_keys(context)) for _ in range(2)] == [expected, expected]


def test_services_and_their_methods_are_the_same() -> None:
    for _ in range(2):
        assert list(backends.list_of_moto_modules()) == list(request_corrections._modules())
        names = responses.method_names_from_class(EC2Response)
        assert set(names) == set(request_corrections._method_names(EC2Response))


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {"resource-id": ["i-0a"]},
        {"resource-id": ["i-0a", "vol-0b"]},
        {"resource-id": ["i-ff"]},
        {"resource-id": ["i-*"]},
        {"resource-id": ["i-0?"]},
        {"resource-id": ["i-0a"], "key": ["n*"]},
        {"key": ["name"]},
    ],
)
def test_tags_are_the_same(filters: dict[str, list[str]] | None) -> None:
    backend: Any = TagBackend()
    for resource in ("i-0a", "i-0ab", "vol-0b"):
        backend.create_tags([resource], {"name": resource, "other": ""})
    assert backend.describe_tags(filters) == request_corrections._describe_tags(backend, filters)
    assert set(backend.tags) == {"i-0a", "i-0ab", "vol-0b"}


class Tagged(TaggedEC2Resource):  # type: ignore[misc]  # moto is untyped here
    """A resource of a backend that has only tags."""

    def __init__(self, backend: TagBackend, id_: str | None) -> None:
        self.ec2_backend = backend
        self.id = id_
        self.size = 8


@pytest.mark.parametrize("name", ["tag:team", "tag:a:b", "tag:", "tag:missing", "tag-key", "tag-value", "size"])
@pytest.mark.parametrize("id_", ["vol-0a", "vol-0b", "vol-0*", None])
def test_a_resource_is_filtered_by_what_it_is_filtered_by_itself(name: str, id_: str | None) -> None:
    backend = TagBackend()
    backend.create_tags(["vol-0a"], {"team": "payments", "a:b": "", "": "empty"})
    backend.create_tags(["vol-0c"], {"team": "search"})
    resource = Tagged(backend, id_)
    assert resource.get_filter_value(name) == request_corrections._filter_value(resource, name)
    assert set(backend.tags) == {"vol-0a", "vol-0c"}


def test_a_list_by_a_tag_copies_no_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[object] = []
    monkeypatch.setattr(TaggedEC2Resource, "get_tags", copied.append)
    backend = TagBackend()
    backend.create_tags(["vol-0a"], {"team": "payments"})
    assert Tagged(backend, "vol-0a").get_filter_value("tag:team") == "payments"
    assert copied == []
