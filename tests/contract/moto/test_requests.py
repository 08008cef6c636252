"""What is found out once for all requests, held to what moto finds out anew for each."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from moto import backends
from moto.core import responses, utils
from moto.core.loaders import create_loader as moto_loader
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses import EC2Response
from werkzeug.routing import Map, Rule

from local.aws import request_corrections
from local.aws.moto_corrections import correct_moto
from local.aws.sdk_corrections import one_loader


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


@pytest.mark.parametrize("service", ["dynamodb", "iam", "s3", "secretsmanager", "sqs", "ssm"])
def test_services_are_described_as_moto_would_read_it(service: str) -> None:
    described = request_corrections._description_once(service, "service-2")
    assert described == moto_loader().load_service_model(service, "service-2")


def test_what_nobody_adds_to_is_read_once_for_moto_and_for_clients() -> None:
    read = one_loader().load_service_model
    same = {it: request_corrections._description_once(it, "service-2") is read(it, "service-2") for it in ("sns", "s3")}
    assert same == {"sns": True, "s3": False}


def test_packages_errors_are_those_of_their_services() -> None:
    known = Session().get_available_services()
    for package, service in (("awslambda", "awslambda"), ("dynamodb", "dynamodb"), ("costexplorer", "costexplorer")):
        assert utils.service_name_from_moto_package_name(package) == service
    assert utils.service_name_from_moto_package_name("applicationautoscaling") == "application-autoscaling"
    assert list(utils.Session().get_available_services()) == known


def test_a_routes_address_is_made_as_ever_by_whoever_asks() -> None:
    ours = Map([Rule("/<bucket>/<path:key>", endpoint="object"), Rule("/", endpoint="all")]).bind("host")
    assert ours.build("object", {"bucket": "a b", "key": "c/d"}) == "/a%20b/c/d"
    assert ours.build("all", {"page": "2"}) == "/?page=2"
    assert ours.match("/x/y/z") == ("object", {"bucket": "x", "key": "y/z"})


def test_nothing_that_makes_addresses_is_compiled_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compiling = request_corrections._compile_builder

    def compile_(rule: Rule, append_unknown: bool) -> Any:
        compiled.append(rule.rule)
        return compiling(rule, append_unknown)

    monkeypatch.setattr(request_corrections, "_compile_builder", compile_)
    routes = Map([Rule("/a", endpoint="a"), Rule("/b", endpoint="b")]).bind("host")
    assert routes.match("/a") == ("a", {})
    assert compiled == []
    assert [routes.build("b") for _ in range(2)] == ["/b", "/b"]
    assert compiled == ["/b"]


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
