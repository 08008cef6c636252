"""The role to make in another account before it is declared as a target: run as `python -m infra.target_account`.

It prints a CloudFormation template. What the role may do is what each function may do in its own account, and as there
it depends on the marks; which of it, on the tag that says which function the session is of.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import App, BootstraplessSynthesizer, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.permissions.costs import asking_cost_explorer, reading_exports
from infra.permissions.ec2 import ec2_permissions, listing
from infra.permissions.targets import COSTS, SWEEP, VERB_TAG
from infra.permissions.verbs import VERBS

STACK: Final = "SkysagaTarget"
ROLE_NAME: Final = "skysaga-target"
OUR_ROLES: Final = ("SkysagaSaga-Aws*", "SkysagaGuard-AwsSweep*", "SkysagaBilling-AwsCosts*")
"""The roles of the functions that may get in, by how CloudFormation names them in skysaga's own account."""


class TargetStack(Stack):
    """A role that skysaga's functions in `account` may assume, and do there what each is for.

    `exports` are the buckets of this account that its Data Exports of costs are in.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        account: str,
        role_name: str,
        external_id: str | None,
        exports: Sequence[str] = (),
    ) -> None:
        super().__init__(
            scope,
            id,
            description="skysaga: the role by which sagas provision in this account",
            synthesizer=BootstraplessSynthesizer(),
        )
        self._exports = [(bucket, "") for bucket in exports]
        role = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            description="What skysaga may do in this account",
            assume_role_policy_document=_document(_trust(self.partition, account, external_id)),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="skysaga", policy_document=_document(self.resolve(self._permissions()))
                )
            ],
        )
        CfnOutput(self, "RoleArn", value=role.attr_arn, description="Declare it: targets.aws.NAME.role_arn")

    def _permissions(self) -> list[dict[str, Any]]:
        permissions = ec2_permissions(self)
        looking = [asking_cost_explorer(), *reading_exports(self.partition, self._exports)]
        allowed = [*permissions.statements.items(), (SWEEP, [listing()]), (COSTS, looking)]
        return [
            _for_verb(verb, statement.to_statement_json()) for verb, statements in allowed for statement in statements
        ]


def _for_verb(verb: str, statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement for the sessions of one verb only."""
    conditions: Mapping[str, Any] = statement.get("Condition", {})
    equal = {**conditions.get("StringEquals", {}), f"aws:PrincipalTag/{VERB_TAG}": verb}
    sid = f"{verb.capitalize()}{statement['Sid']}"
    return {**statement, "Sid": sid, "Condition": {**conditions, "StringEquals": equal}}


def _trust(partition: str, account: str, external_id: str | None) -> list[dict[str, Any]]:
    ours = {"ArnLike": {"aws:PrincipalArn": [f"arn:{partition}:iam::{account}:role/{name}" for name in OUR_ROLES]}}
    principal = {"AWS": f"arn:{partition}:iam::{account}:root"}
    agreed = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    verbs = {"StringEquals": {f"aws:RequestTag/{VERB_TAG}": [*VERBS, SWEEP, COSTS]}}
    return [
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": {**ours, **agreed}},
        {"Effect": "Allow", "Principal": principal, "Action": "sts:TagSession", "Condition": {**ours, **verbs}},
    ]


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def target_template(
    account: str, role_name: str = ROLE_NAME, external_id: str | None = None, exports: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the template of a target account's role, for skysaga in `account`."""
    app = App(analytics_reporting=False)
    TargetStack(app, STACK, account=account, role_name=role_name, external_id=external_id, exports=exports)
    template: dict[str, Any] = app.synth().get_stack_by_name(STACK).template
    return template


def main(arguments: Sequence[str]) -> None:
    """Print the template that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m infra.target_account", description=__doc__)
    parser.add_argument("--account", required=True, help="the account that skysaga is deployed to")
    parser.add_argument("--role-name", default=ROLE_NAME)
    parser.add_argument("--external-id", help="as it will be declared, if any")
    parser.add_argument("--exports", action="append", default=[], help="a bucket with Data Exports, again for each")
    options = parser.parse_args(arguments)
    template = target_template(options.account, options.role_name, options.external_id, options.exports)
    sys.stdout.write(json.dumps(template, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
