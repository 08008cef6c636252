"""Where in EC2 a sweep looks."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from lambdas.aws.clients import AwsClients
from lambdas.aws.inventory import inventory
from lambdas.aws.settings import AwsSettings


class Everywhere:
    """EC2 with one marked volume in every region, three of which are enabled."""

    def __init__(self, region: str, asked: list[str]) -> None:
        self._region = region
        self._asked = asked

    def describe_regions(self) -> dict[str, Any]:
        return {"Regions": [{"RegionName": name} for name in ("us-east-1", "eu-west-1", "eu-north-1")]}

    def get_paginator(self, operation: str) -> Any:
        self._asked.append(self._region)
        tags = [{"Key": "skysaga-saga", "Value": "s1"}, {"Key": "skysaga-resource", "Value": "data"}]
        volume = {"VolumeId": f"vol-{self._region}", "Tags": tags, "CreateTime": None}
        empty: dict[str, list[Any]] = {"Reservations": [], "NetworkInterfaces": [], "Volumes": []}
        page = {**empty, "Volumes": [volume]} if operation == "describe_volumes" else empty
        return mock.Mock(paginate=mock.Mock(return_value=[page]))


def looked_into(**environment: str) -> set[str]:
    asked: list[str] = []
    settings = AwsSettings.from_environment(environment)
    clients = AwsClients(settings)
    with mock.patch.object(AwsClients, "ec2", lambda _, region: Everywhere(region, asked)):
        found = list(inventory(clients, settings))
    assert {it.cloud_id for it in found} == {f"vol-{region}" for region in asked}
    return set(asked)


def test_it_looks_into_every_region_that_is_enabled() -> None:
    assert looked_into() == {"us-east-1", "eu-west-1", "eu-north-1"}


def test_it_can_be_confined() -> None:
    assert looked_into(AWS_SWEEP_REGIONS="eu-west-1, eu-central-1") == {"eu-west-1", "eu-central-1"}
    assert looked_into(AWS_SWEEP_REGIONS="") == looked_into()


def test_it_asks_for_the_regions_where_it_runs() -> None:
    assert AwsSettings.from_environment({**os.environ, "AWS_REGION": "eu-west-2"}).home_region == "eu-west-2"
