"""Every resource type that the local CloudFormation can make; any other is an error that names it."""

from __future__ import annotations

from collections.abc import Mapping

from local.aws.cloudformation.provider import Provider
from local.aws.resources import (
    apigatewayv2,
    athena,
    cdk,
    cloudwatch,
    dynamodb,
    ecr,
    events,
    glue,
    iam,
    kms,
    lambda_functions,
    logs,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
    stepfunctions,
)

_SERVICES: tuple[tuple[Provider, ...], ...] = (
    apigatewayv2.PROVIDERS,
    athena.PROVIDERS,
    cdk.PROVIDERS,
    cloudwatch.PROVIDERS,
    dynamodb.PROVIDERS,
    ecr.PROVIDERS,
    events.PROVIDERS,
    glue.PROVIDERS,
    iam.PROVIDERS,
    kms.PROVIDERS,
    lambda_functions.PROVIDERS,
    logs.PROVIDERS,
    s3.PROVIDERS,
    scheduler.PROVIDERS,
    secretsmanager.PROVIDERS,
    sns.PROVIDERS,
    sqs.PROVIDERS,
    ssm.PROVIDERS,
    stepfunctions.PROVIDERS,
)

PROVIDERS: Mapping[str, Provider] = {provider.resource_type: provider for service in _SERVICES for provider in service}
