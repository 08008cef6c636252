"""What the Azure provider needs of AWS: a token that Azure accepts in place of a stored secret."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_iam as iam

from infra.permissions.verbs import VERBS, Permissions

AUDIENCE: Final = "api://AzureADTokenExchange"


def azure_permissions() -> Permissions:
    """Return, for every verb, leave to ask STS for a web identity token for Azure and for nobody else.

    Condition key: "Controlling access with IAM policies" of outbound identity federation, IAM user guide.
    """
    return Permissions(
        {verb: [token_for_azure()] for verb in VERBS},
        {"AwsSolutions-IAM5[Resource::*]": "A token is no resource; the condition names who it is for."},
    )


def token_for_azure() -> iam.PolicyStatement:
    """Return leave to ask for such a token."""
    return iam.PolicyStatement(
        sid="TokenForAzure",
        actions=["sts:GetWebIdentityToken"],
        resources=["*"],
        conditions={
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [AUDIENCE]},
            "Null": {"sts:IdentityTokenAudience": "false"},  # ForAllValues alone holds when the key is missing
        },
    )
