"""Where moto's models forget or do what AWS does not: corrected in place, once per process.

Each correction stands on moto's inside; `tests/contract/moto` fails when that changes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.config import default_user_config
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from local.aws.lambda_corrections import correct_lambda


@cache
def correct_moto() -> None:
    """Apply every correction to this process's moto."""
    default_user_config["iam"]["load_aws_managed_policies"] = True
    # IAM is enforced nowhere here, and moto would honour a bucket policy's Deny without its conditions.
    FakeBucket.get_permission = _neutral
    correct_lambda()


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    return PermissionResult.NEUTRAL
