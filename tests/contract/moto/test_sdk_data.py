"""What is read later, less often or otherwise than moto and the SDK read it: the same as what is in their files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.compat import accepts_kwargs
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from local.assembly import ROOT
from local.aws import sdk_corrections
from local.aws.account import create_app
from local.aws.ec2 import offerings
from local.clock import VirtualClock

SERVICES = ("dynamodb", "ec2", "lambda", "s3", "ssm", "stepfunctions", "no-such-service")


@pytest.fixture(name="offered", scope="module")
def _offered() -> Mapping[str, Mapping[str, Any]]:
    create_app(VirtualClock())
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS  # noqa: PLC0415 -- after it was corrected

    found: Mapping[str, Mapping[str, Any]] = INSTANCE_TYPE_OFFERINGS
    return found


@pytest.mark.parametrize("location_type", ["availability-zone", "availability-zone-id", "region"])
def test_a_regions_offerings_are_those_of_motos_file_however_often_they_are_read(
    offered: Mapping[str, Mapping[str, Any]], location_type: str
) -> None:
    file = f"ec2/resources/instance_type_offerings/{location_type}/us-east-1.json"
    expected = [{**it, "LocationType": location_type} for it in offerings._load_resource(file)]

    assert len(expected) > 500
    assert [list(offered[location_type]["us-east-1"]) for _ in range(2)] == [expected, expected]


_LOOK = """
from local.aws.account import create_app
from local.assembly import ROOT
from local.clock import VirtualClock

create_app(VirtualClock())

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS as offered

print({type(it).__name__ for regions in offered.values() for it in regions.values()})
print({"us-east-1", "eu-west-1"} <= offered["region"].keys())
"""


def test_moto_has_read_no_offerings_but_knows_of_all_regions() -> None:
    """In a process of its own: in this one, others may have had moto read them before it was corrected."""
    said = subprocess.run([sys.executable, "-c", _LOOK], check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own code
    assert said.stdout.splitlines() == ["{'Offerings'}", "True"]


_ASK = """
import json, sys
from botocore.session import Session

session, services = Session(), sys.argv[1:]
print(json.dumps({p: {s: session.get_available_regions(s, p) for s in services} for p in ("aws", "aws-cn")}))
"""


@pytest.fixture(name="plain", scope="module")
def _plain() -> Mapping[str, Mapping[str, list[str]]]:
    """The regions of each service in a partition, as the SDK says in a process in which nobody has corrected it."""
    said = subprocess.run([sys.executable, "-c", _ASK, *SERVICES], check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    found: Mapping[str, Mapping[str, list[str]]] = json.loads(said.stdout)
    return found


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_a_service_is_in_the_regions_that_the_sdk_says(
    plain: Mapping[str, Mapping[str, list[str]]], service: str, partition: str
) -> None:
    asked, expected = Session(), plain[partition][service]

    assert [asked.get_available_regions(service, partition) for _ in range(2)] == [expected, expected]


def test_endpoints_know_each_service_by_the_name_in_its_description() -> None:
    loader = create_loader()
    for service in loader.list_available_services(sdk_corrections.DESCRIPTION)[::7]:
        described = loader.load_service_model(service, sdk_corrections.DESCRIPTION)["metadata"]["endpointPrefix"]
        assert sdk_corrections._endpoint_prefix(loader, service) == described, service


def test_regions_are_found_without_reading_a_description(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = create_loader()
    monkeypatch.setattr(loader, "load_service_model", None)
    assert {it: sdk_corrections._endpoint_prefix(loader, it) for it in ("ec2", "cloudwatch", "stepfunctions")} == {
        "ec2": "ec2",
        "cloudwatch": "monitoring",
        "stepfunctions": "states",
    }


def test_a_description_that_tells_its_name_late_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_corrections, "_HEAD_BYTES", 8)
    assert sdk_corrections._endpoint_prefix(create_loader(), "cloudwatch") == "monitoring"


def test_partitions_are_those_that_the_sdk_says() -> None:
    expected = sdk_corrections._available_partitions(Session())
    assert [Session().get_available_partitions() for _ in range(2)] == [expected, expected]
    assert {"aws", "aws-cn", "aws-us-gov"} <= set(expected)


def test_handlers_are_told_apart_as_the_sdk_does() -> None:
    handlers: list[Any] = [handler for _, handler, *_ in BUILTIN_HANDLERS]
    handlers += [Session().register, Handles().positionally, Handles(), partial(Handles().by_name, 1), len]
    told = [sdk_corrections._accepts_kwargs(it) for it in handlers]
    assert told == [bool(accepts_kwargs(it)) for it in handlers]
    assert set(told) == {True, False}


class Handles:
    """Handlers that are no functions."""

    def __call__(self, **_: Any) -> None:
        """Take anything."""

    def by_name(self, first: int, **_: Any) -> None:
        """Take anything after the first."""

    def positionally(self, *_: Any) -> None:
        """Take nothing by name."""


def test_whoever_changes_an_answer_changes_it_for_nobody_else() -> None:
    Session().get_available_regions("ec2").clear()

    assert "us-east-1" in Session().get_available_regions("ec2")


def test_descriptions_are_plain_dictionaries_and_each_readers_own() -> None:
    loaders: list[Loader] = [create_loader(), create_loader()]
    first, second = (it.load_service_model("dynamodb", "service-2") for it in loaders)

    assert type(first) is dict
    assert first == second
    assert first["shapes"] is not second["shapes"]
    assert list(first)[:3] == ["version", "metadata", "operations"]


def test_what_is_no_file_is_nothing(tmp_path: Path) -> None:
    folder = Path(botocore.__file__).parent / "data"

    assert create_loader().file_loader.load_file(str(tmp_path / "none")) is None
    assert create_loader().file_loader.load_file(str(folder / "partitions"))["partitions"]
