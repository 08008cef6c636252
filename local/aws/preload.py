"""What a deployment would otherwise wait for: moto's services and the SDK's descriptions of them."""

from __future__ import annotations

from moto.backends import get_backend

from local.aws.clients import create_client

_SERVICES = ("apigatewayv2", "dynamodb", "iam", "lambda", "logs", "s3", "sqs", "ssm", "stepfunctions")
_ANY_ADDRESS = "http://127.0.0.1:1"  # a client connects only when it is used


def preload() -> None:
    """Import and read what deploying skysaga uses; for a thread, while something else is awaited."""
    for service in _SERVICES:
        get_backend(service)
        create_client(service, _ANY_ADDRESS, "us-east-1")
