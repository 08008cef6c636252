"""A state machine alias on its gradual way to another version, and back when an alarm goes off.

What CloudFormation does step by step is in the open: its resource type's handlers, in the repository
aws-cloudformation/aws-cloudformation-resource-providers-stepfunctions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.aws.cloudformation.provider import Place, Refusal

LOOK_SECONDS: Final = 30.0
"""How often alarms are looked at; AWS does not document how often it does."""

_GRADUAL: Final = ("CANARY", "LINEAR")
_RANGES: Final = {"Interval": range(1, 2101), "Percentage": range(1, 100)}


class DeploymentAborted(Exception):
    """An alarm went off; the alias is back on the version that it came from."""


def validated(preference: Mapping[str, Any]) -> Mapping[str, Any]:
    """The DeploymentPreference, numbers as numbers; Refusal names what is missing or out of range."""
    kind = preference.get("Type")
    if kind not in (*_GRADUAL, "ALL_AT_ONCE"):
        raise Refusal(f"DeploymentPreference.Type must be one of ALL_AT_ONCE, {', '.join(_GRADUAL)}; it is {kind}")
    if "StateMachineVersionArn" not in preference:
        raise Refusal("DeploymentPreference needs StateMachineVersionArn")
    return {**preference, **{name: _number(preference, name) for name in _RANGES if kind in _GRADUAL}}


def _number(preference: Mapping[str, Any], name: str) -> int:
    allowed = _RANGES[name]
    value = str(preference.get(name, ""))
    if not value.isdigit() or int(value) not in allowed:
        kind = preference["Type"]
        raise Refusal(f"DeploymentPreference of type {kind} needs {name}, from {allowed[0]} to {allowed[-1]}")
    return int(value)


def shift_traffic(place: Place, alias_arn: str, preference: Mapping[str, Any]) -> None:
    """Move the alias to the preferred version as its preference, which is `validated`, says.

    DeploymentAborted names the alarms that are in the state ALARM before any of the shifts, or while one is waited
    for; Refusal means that the alias is on two versions already.
    """
    target = preference["StateMachineVersionArn"]
    routed = _routing(place, alias_arn)
    if set(routed) == {target}:
        return
    if preference["Type"] not in _GRADUAL:
        _route(place, alias_arn, {target: 100})
        return
    if len(routed) > 1:
        raise Refusal("The alias routes to two versions: route all of its traffic to one of them, then deploy again")
    (origin,) = routed
    for weight in _weights(preference):
        _check_alarms(place, alias_arn, origin, preference)
        expected = {target: weight, origin: 100 - weight}
        _route(place, alias_arn, {arn: share for arn, share in expected.items() if share})
        if weight < 100:
            _wait(place, alias_arn, origin, preference)
            _check_drift(place, alias_arn, expected)


def _weights(preference: Mapping[str, Any]) -> Iterator[int]:
    """The new version's share after each shift."""
    if preference["Type"] == "CANARY":
        yield preference["Percentage"]
    else:
        yield from range(preference["Percentage"], 100, preference["Percentage"])
    yield 100


def _wait(place: Place, alias_arn: str, origin: str, preference: Mapping[str, Any]) -> None:
    remaining = preference["Interval"] * 60.0
    while remaining > 0:
        place.wait(min(LOOK_SECONDS, remaining))
        remaining -= LOOK_SECONDS
        _check_alarms(place, alias_arn, origin, preference)


def _check_alarms(place: Place, alias_arn: str, origin: str, preference: Mapping[str, Any]) -> None:
    if not preference.get("Alarms"):
        return
    found = place.client("cloudwatch").describe_alarms(
        AlarmNames=preference["Alarms"], AlarmTypes=["CompositeAlarm", "MetricAlarm"]
    )
    alarms = [*found["MetricAlarms"], *found["CompositeAlarms"]]
    if active := sorted(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"):
        _route(place, alias_arn, {origin: 100})
        raise DeploymentAborted(f"Aborting deployment: these CloudWatch alarms are in ALARM state: {', '.join(active)}")


def _check_drift(place: Place, alias_arn: str, expected: Mapping[str, int]) -> None:
    if (actual := _routing(place, alias_arn)) != expected:
        raise DeploymentAborted(f"Somebody else has changed the alias: it was routed to {expected}, now to {actual}")


def _routing(place: Place, alias_arn: str) -> dict[str, int]:
    alias = place.client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=alias_arn)
    return {it["stateMachineVersionArn"]: it["weight"] for it in alias["routingConfiguration"]}


def _route(place: Place, alias_arn: str, weights: Mapping[str, int]) -> None:
    place.client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=alias_arn,
        routingConfiguration=[{"stateMachineVersionArn": arn, "weight": share} for arn, share in weights.items()],
    )
