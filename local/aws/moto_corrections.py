"""Where moto's models forget or do what AWS does not: corrected in place, once per process.

Each correction stands on moto's inside; `tests/contract/moto` fails when that changes.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Any

from moto.core.config import default_user_config
from moto.iam.access_control import PermissionResult
from moto.iam.models import IAMBackend
from moto.s3.models import FakeBucket

from local.aws.lambda_corrections import correct_lambda

_read_aws_policies = IAMBackend._init_aws_policies
_aws_policies_read: dict[tuple[str, str], list[Any]] = {}  # by account and partition


@cache
def correct_moto() -> None:
    """Apply every correction to this process's moto."""
    # Roles name AWS's own policies. Reading all of them takes as long as deploying a stack, so it is done once.
    default_user_config["iam"]["load_aws_managed_policies"] = True
    IAMBackend._init_aws_policies = _aws_policies
    # IAM is enforced nowhere here, and moto would honour a bucket policy's Deny without its conditions.
    FakeBucket.get_permission = _neutral
    correct_lambda()


def _aws_policies(backend: Any) -> list[Any]:
    where = (backend.account_id, backend.region_name)
    if where not in _aws_policies_read:
        _aws_policies_read[where] = _read_aws_policies(backend)
    return [copy(policy) for policy in _aws_policies_read[where]]


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    return PermissionResult.NEUTRAL
