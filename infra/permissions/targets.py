"""What the AWS provider may do to get into other accounts: assume the declared roles, each function as its own verb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_iam as iam

VERB_TAG: Final = "skysaga-verb"
SWEEP: Final = "sweep"
COSTS: Final = "costs"
VERB_VARIABLE: Final = "SKYSAGA_VERB"
"""Where a function finds its verb."""


def entering(roles: Sequence[str], verb: str) -> list[iam.PolicyStatement]:
    """Return leave to assume the roles, with a session tag that says the verb and nothing else; none without roles.

    What a session may do there is the role's to say, and depends on the tag: see `infra/target_account.py`.
    """
    if not roles:
        return []
    return [
        iam.PolicyStatement(
            sid="EnterTargets",
            actions=["sts:AssumeRole", "sts:TagSession"],
            resources=list(roles),
            conditions={
                "StringEquals": {f"aws:RequestTag/{VERB_TAG}": verb},
                "ForAllValues:StringEquals": {"aws:TagKeys": [VERB_TAG]},
            },
        )
    ]
