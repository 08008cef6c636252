"""No property is dropped in silence, whatever the type."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from local.aws.cloudformation.intrinsics import Evaluator
from local.aws.cloudformation.provider import Place
from local.aws.cloudformation.template import parse
from local.aws.resources.conform import UnsupportedProperty, arguments
from local.aws.resources.registry import PROVIDERS
from tests.unit.local_aws.everything import TEMPLATE
from tests.unit.local_aws.test_template_language import Surroundings

NOWHERE = "http://127.0.0.1:9"  # refused here means refused before any call
UNCHECKED = {"AWS::CDK::Metadata"}  # it makes nothing

TEMPLATE_READ = parse(TEMPLATE)
PSEUDO = {"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"}
VALUES = Evaluator(TEMPLATE_READ, PSEUDO, Surroundings())
DECLARED = {each.type: VALUES.value(each.properties) for each in TEMPLATE_READ.resources.values()}


@pytest.fixture(scope="module")
def place() -> Place:
    session: Any = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1")
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=NOWHERE)
        return clients[service]

    return Place("stack-id", "stack", "It", 1, "123456789012", "us-east-1", client, wait=lambda seconds: None)


@pytest.mark.parametrize("resource_type", sorted(set(PROVIDERS) - UNCHECKED))
def test_a_property_that_cannot_be_honoured_is_refused_by_name(place: Place, resource_type: str) -> None:
    properties = {"NoSuchProperty": {"Really": True}, **DECLARED[resource_type]}
    if resource_type == "AWS::StepFunctions::StateMachine":
        properties = {**properties, "DefinitionString": "{}"}
        properties.pop("DefinitionS3Location")
    with pytest.raises(UnsupportedProperty, match="NoSuchProperty"):
        PROVIDERS[resource_type].create(place, properties)


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"TracingConfig": {"Mode": "Active", "Sampling": 1}}, r"TracingConfig\.Sampling"),
        ({"MemorySize": "much"}, "MemorySize must be a number"),
        ({"Publish": "perhaps"}, "Publish must be true or false"),
        ({"Layers": {"a": 1}}, "Layers must be a list"),
        ({"VpcConfig": "none"}, "VpcConfig must be an object"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_path(
    place: Place, properties: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UnsupportedProperty, match=complaint):
        arguments(place.client("lambda"), "create_function", properties)


def test_values_take_the_type_that_the_api_declares(place: Place) -> None:
    client = place.client("lambda")
    given = {"MemorySize": "256", "Publish": "true", "Environment": {"Variables": {"N": 1, "B": True, "J": {"a": 1}}}}
    assert arguments(client, "create_function", given) == {
        "MemorySize": 256,
        "Publish": True,
        "Environment": {"Variables": {"N": "1", "B": "true", "J": '{"a": 1}'}},
    }


def test_tags_take_the_form_that_the_api_declares(place: Place) -> None:
    tags = {"Tags": [{"Key": "team", "Value": "payments"}]}
    assert arguments(place.client("lambda"), "create_function", tags) == {"Tags": {"team": "payments"}}
    assert arguments(place.client("stepfunctions"), "create_state_machine", tags) == {
        "tags": [{"key": "team", "value": "payments"}]
    }


def test_a_missing_substitution_is_refused_by_name(place: Place) -> None:
    machine = {"DefinitionString": '{"Resource": "${fn}"}', "DefinitionSubstitutions": {"other": "x"}, "RoleArn": "r"}
    with pytest.raises(UnsupportedProperty, match="DefinitionSubstitutions lack fn"):
        PROVIDERS["AWS::StepFunctions::StateMachine"].create(place, machine)
