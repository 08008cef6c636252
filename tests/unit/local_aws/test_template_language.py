"""Parameters, conditions and functions of a template, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.intrinsics import NO_VALUE, Evaluator
from local.aws.cloudformation.parameters import given_parameters, hidden_parameters, parameter_values
from local.aws.cloudformation.template import parse


class Surroundings:
    def resource_reference(self, logical_id: str) -> str:
        return f"id-of-{logical_id}"

    def resource_attribute(self, logical_id: str, attribute: str) -> Any:
        return f"{attribute}-of-{logical_id}"

    def exported(self, name: str) -> str:
        return f"export-{name}"

    def availability_zones(self) -> list[str]:
        return ["r-a", "r-b"]

    def dynamic_reference(self, service: str, key: str) -> str:
        return f"{service}!{key}"


def evaluator(**sections: Any) -> Evaluator:
    template = parse(json.dumps({"Resources": {"Queue": {"Type": "T"}}, **sections}))
    return Evaluator(template, {"AWS::Region": "r", "Name": "n", "List": ["x", "y"]}, Surroundings())


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Name"}, "n"),
        ({"Ref": "Queue"}, "id-of-Queue"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "Arn-of-Queue"),
        ({"Fn::GetAtt": "Queue.Nested.Name"}, "Nested.Name-of-Queue"),
        ({"Fn::Sub": "${AWS::Region}/${Queue}/${Queue.Arn}/${!Literal}"}, "r/id-of-Queue/Arn-of-Queue/${Literal}"),
        ({"Fn::Sub": ["${a}-${Name}", {"a": {"Ref": "Queue"}}]}, "id-of-Queue-n"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 3]]}, "a-n-3"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "x,y"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "r-a"),
        ({"Fn::Split": [":", "a:b"]}, ["a", "b"]),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::ImportValue": {"Fn::Sub": "x-${Name}"}}, "export-x-n"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, "v"),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", {"Ref": "Name"}]}, "n"),
        ("{{resolve:ssm:/a/b:1}}", "ssm!/a/b:1"),
        ("x{{resolve:secretsmanager:s:SecretString:p}}", "xsecretsmanager!s:SecretString:p"),
        ({"Keep": 1, "Drop": {"Ref": "AWS::NoValue"}}, {"Keep": 1}),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"Ref": "Name", "Other": 1}, {"Ref": "Name", "Other": 1}),
    ],
)
def test_a_function_has_its_value(expression: Any, value: Any) -> None:
    conditions = {"Yes": {"Fn::Equals": [{"Ref": "Name"}, "n"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}}
    assert evaluator(Conditions=conditions, Mappings={"M": {"r": {"k": "v"}}}).value(expression) == value


def test_no_value_alone_is_left_to_whoever_asks() -> None:
    assert evaluator().value({"Ref": "AWS::NoValue"}) is NO_VALUE


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"Fn::And": [{"Fn::Equals": [1, "1"]}, {"Fn::Equals": ["a", "a"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": [1, 1]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": [1, 2]}, {"Fn::Equals": ["a", "a"]}]}, True),
        ({"Fn::Not": [{"Fn::Equals": [1, 1]}]}, False),
    ],
)
def test_a_condition_holds_or_not(condition: Any, holds: bool) -> None:
    assert evaluator(Conditions={"C": condition}).condition("C") is holds


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ({"Ref": "Nobody"}, "Unresolved resource dependencies"),
        ({"Fn::Transform": {}}, "Fn::Transform"),
        ({"Fn::FindInMap": ["M", "a", "b"]}, "Unable to get mapping"),
        ({"Fn::Select": [5, ["a"]]}, "nonexistent value at index 5"),
        ({"Fn::If": ["Undeclared", 1, 2]}, "unresolved condition"),
        ({"Fn::Join": "no list"}, "Fn::Join cannot be evaluated"),
        ({"Fn::Split": [","]}, "Fn::Split cannot be evaluated"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(expression: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        evaluator().value(expression)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{", "Template format error"),
        ("Resources: {}", "At least one Resources member"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type"),
        ("{Transform: X, Resources: {A: {Type: T}}}", "Transform"),
        ("Resources: {A: {Type: T, CreationPolicy: {}}}", "CreationPolicy"),
        ("Resources: {A: {Type: T, DeletionPolicy: Snapshot}}", "Snapshot"),
    ],
)
def test_a_template_that_cannot_be_honoured_is_refused(template: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        parse(template)


def test_yaml_short_forms_mean_the_long_ones_and_dates_stay_text() -> None:
    template = parse("""
Resources:
  A:
    Type: T
    DependsOn: B
    Properties:
      Version: 2012-10-17
      Arn: !GetAtt B.Arn
      Name: !Sub "${B}-x"
      Which: !If [C, !Ref B, !Ref "AWS::NoValue"]
  B: {Type: T}
""")
    assert template.resources["A"].properties == {
        "Version": "2012-10-17",
        "Arn": {"Fn::GetAtt": ["B", "Arn"]},
        "Name": {"Fn::Sub": "${B}-x"},
        "Which": {"Fn::If": ["C", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]},
    }
    assert template.resources["A"].depends_on == ("B",)


PARAMETERS = {
    "Size": {"Type": "Number", "Default": 3},
    "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Stage": {"Type": "String", "AllowedValues": ["dev", "prod"]},
    "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/v", "NoEcho": True},
}


def parameters(given: dict[str, str], previous: dict[str, str] | None = None) -> dict[str, Any]:
    template = parse(json.dumps({"Parameters": PARAMETERS, "Resources": {"A": {"Type": "T"}}}))
    entries: list[dict[str, Any]] = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    entries += [{"ParameterKey": key, "UsePreviousValue": True} for key in previous or {}]
    return parameter_values(template, given_parameters(template, entries, previous or {}), lambda name: f"<{name}>")


def test_parameters_are_given_kept_looked_up_or_by_default() -> None:
    assert parameters({"Size": "4"}, {"Stage": "prod"}) == {
        "Size": "4",
        "Stage": "prod",
        "Zones": ["a", "b"],
        "Version": "</v>",
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, r"\[Stage\] must have values"),
        ({"Stage": "test"}, "must be one of AllowedValues"),
        ({"Stage": "dev", "Size": "big"}, "'Size' must be a number"),
        ({"Stage": "dev", "Other": "1"}, r"\[Other\] do not exist"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        parameters(given)


def test_no_echo_parameters_are_known() -> None:
    template = parse(json.dumps({"Parameters": PARAMETERS, "Resources": {"A": {"Type": "T"}}}))
    assert hidden_parameters(template) == {"Version"}
