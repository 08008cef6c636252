"""EC2 and Service Quotas clients, per account and region, made when first needed and kept while a function is warm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from lambdas.adapters.by_target import ByTarget
from lambdas.aws.credentials import role_session
from lambdas.aws.errors import EXPIRED_CODES, translated
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError
from lambdas.core.targets import AwsTarget

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


class AwsClients:
    """EC2 in every region of one account. The SDK does not retry: the state machine's Retry does, where it can be seen.

    Without a target, or with one that names no role, it is the function's own account.
    """

    def __init__(self, settings: AwsSettings, target: AwsTarget | None = None) -> None:
        self._settings = settings
        self._target = target
        self._config = Config(
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        self._ec2: dict[str, EC2Client] = {}
        self._quotas: dict[str, Any] = {}

    def ec2(self, region: str) -> EC2Client:
        """The client of one region."""
        if region not in self._ec2:
            self._ec2[region] = self._session.client("ec2", region_name=region, config=self._config)
        return self._ec2[region]

    def quotas(self, region: str) -> Any:
        """The Service Quotas client of one region; boto3-stubs for it are not installed."""
        if region not in self._quotas:
            self._quotas[region] = self._session.client("service-quotas", region_name=region, config=self._config)
        return self._quotas[region]

    @contextmanager
    def asked(self) -> Iterator[None]:
        """What the clients raise inside leaves translated; a session that has ended is not used again."""
        try:
            with translated():
                yield
        except RetryableError as error:
            if error.code in EXPIRED_CODES:
                self._forget_session()
            raise

    @cached_property
    def _session(self) -> Any:
        if self._target is None or self._target.role_arn is None:
            return boto3
        return role_session(self._settings, self._target, self._config)

    def _forget_session(self) -> None:
        self.__dict__.pop("_session", None)
        self._ec2.clear()
        self._quotas.clear()


class AwsAccounts(ByTarget[AwsTarget, AwsClients]):
    """The clients of each target, so that a role is assumed once for as long as its session lasts."""

    def __init__(self, settings: AwsSettings) -> None:
        super().__init__(AwsTarget, "AWS", lambda target: AwsClients(settings, target))
