"""Where moto's models forget or do what AWS does not: corrected in place, once per process.

Each correction stands on moto's inside; `tests/contract/moto` fails when that changes.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any, Final

from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.iam.access_control import PermissionResult
from moto.iam.models import IAMBackend
from moto.kms import models as kms
from moto.s3.models import FakeBucket

from local.aws.dynamodb_corrections import correct_dynamodb
from local.aws.lambda_corrections import correct_lambda
from local.aws.request_corrections import correct_requests
from local.aws.s3_corrections import correct_s3
from local.aws.sqs_corrections import correct_sqs
from local.aws.stream_corrections import correct_streams
from local.aws.watching_corrections import correct_watching

_attach_known_policy = IAMBackend.attach_role_policy
_private_key = kms.generate_private_key

_EMPTIED_BY_LIST: Final = "moto.s3.models"
"""Whose objects have files behind them, which are closed when the account is emptied."""


@cache
def correct_moto() -> None:
    """Apply every correction to this process's moto."""
    BaseModel.__new__ = staticmethod(_made)
    IAMBackend.attach_role_policy = _attach_role_policy
    kms.generate_private_key = _private_key_if_any
    # IAM is enforced nowhere here, and moto would honour a bucket policy's Deny without its conditions.
    FakeBucket.get_permission = _neutral
    correct_dynamodb()
    correct_lambda()
    correct_requests()
    correct_s3()
    correct_sqs()
    correct_streams()
    correct_watching()


def _made(kind: type[Any], *_: Any, **__: Any) -> Any:
    """Make a model; moto would keep every one that there ever was, copies of tables included, for its dashboard."""
    made = object.__new__(kind)
    if kind.__module__ == _EMPTIED_BY_LIST:
        kind.instances_tracked.append(made)
    return made


def _attach_role_policy(backend: Any, policy_arn: str, role_name: str) -> None:
    """Know AWS's own policies when the first of them is attached: reading them takes as long as deploying a stack."""
    if ":iam::aws:policy/" in policy_arn and policy_arn not in backend.managed_policies:
        for policy in _aws_policies(backend.account_id, backend.region_name):
            backend.managed_policies[policy.arn] = copy(policy)
    _attach_known_policy(backend, policy_arn, role_name)


def _private_key_if_any(key_spec: str) -> Any:
    """What signs, for a key that is a pair: it takes 80 ms to make, and one that encrypts has none."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else _private_key(key_spec)


@cache
def _aws_policies(account_id: str, partition: str) -> list[Any]:
    settings = default_user_config["iam"]
    settings["load_aws_managed_policies"] = True
    try:
        policies: list[Any] = IAMBackend(partition, account_id).aws_managed_policies
    finally:
        settings["load_aws_managed_policies"] = False
    return policies


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    return PermissionResult.NEUTRAL
