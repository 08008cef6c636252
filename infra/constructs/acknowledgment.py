"""How a finding of cdk-nag or of checkov is answered, beside the construct that causes it."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import Construct


def acknowledge(scope: Construct, reasons: Mapping[str, str]) -> None:
    """Accept findings, by rule id, on `scope` and all that is in it, each for the reason given."""
    Validations.of(scope).acknowledge(*(Acknowledgment(id=rule, reason=why) for rule, why in reasons.items()))


def skip_checkov(construct: Construct, reasons: Mapping[str, str]) -> None:
    """Accept checkov's findings, by check id, on the one resource that `construct` stands for, each for its reason."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)  # noqa: S101 - a construct of one resource is what is asked for
    resource.add_metadata("checkov", {"skip": [{"id": check, "comment": why} for check, why in reasons.items()]})
