"""Clients of AWS, per account and region, made when first needed and kept while a function is warm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.session import Session

from lambdas.adapters import clients
from lambdas.adapters.by_target import ByTarget
from lambdas.adapters.observability import cloud_answered
from lambdas.aws.credentials import role_session
from lambdas.aws.errors import EXPIRED_CODES, translated
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError
from lambdas.core.targets import AwsTarget

PRICE_LIST_REGION: Final = "us-east-1"
"""One of the few that have an endpoint of the price list."""

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3 import S3Client


class AwsClients:
    """The services of one account. The SDK does not retry: the state machine's Retry does, where it can be seen.

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
        self._clients: dict[tuple[str, str], Any] = {}

    def ec2(self, region: str) -> EC2Client:
        """The EC2 client of one region."""
        ec2: EC2Client = self._client("ec2", region)
        return ec2

    def quotas(self, region: str) -> Any:
        """The Service Quotas client of one region; boto3-stubs for it are not installed."""
        return self._client("service-quotas", region)

    def cost_explorer(self) -> CostExplorerClient:
        """The Cost Explorer client; a partition has one endpoint, whichever the region."""
        cost_explorer: CostExplorerClient = self._client("ce", self._settings.home_region)
        return cost_explorer

    def price_list(self) -> Any:
        """The client of the price list; boto3-stubs for it are not installed."""
        return self._client("pricing", PRICE_LIST_REGION)

    def s3(self, region: str = "") -> S3Client:
        """The S3 client of a bucket's region, or else of the one that the function runs in."""
        s3: S3Client = self._client("s3", region or self._settings.home_region)
        return s3

    @contextmanager
    def asked(self, words: Callable[[], AbstractContextManager[None]] = translated) -> Iterator[None]:
        """What the clients raise inside leaves in `words`; a session that has ended is not used again."""
        try:
            with words():
                yield
        except RetryableError as error:
            if error.code in EXPIRED_CODES:
                self._forget_session()
            raise

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            client: Any = self._session.create_client(service, region_name=region, config=self._config)
            client.meta.events.register("after-call", _answered)
            self._clients[service, region] = client
        return self._clients[service, region]

    @cached_property
    def _session(self) -> Session:
        if self._target is None or self._target.role_arn is None:
            return clients.session()
        return role_session(self._settings, self._target, self._config)

    def _forget_session(self) -> None:
        self.__dict__.pop("_session", None)
        self._clients.clear()


def _answered(model: Any, parsed: Mapping[str, Any], **_: object) -> None:
    """Note the request's id, by which AWS's own logs and its support know a call, refused ones among them."""
    told = parsed.get("ResponseMetadata", {})
    request_id = told.get("HTTPHeaders", {}).get("x-amzn-requestid") or told.get("RequestId")
    cloud_answered("aws", model.name, request_id=request_id, status=told.get("HTTPStatusCode"), error=_code(parsed))


def _code(parsed: Mapping[str, Any]) -> str | None:
    code = parsed.get("Error", {}).get("Code")
    return str(code) if code else None


class AwsAccounts(ByTarget[AwsTarget, AwsClients]):
    """The clients of each target, so that a role is assumed once for as long as its session lasts."""

    def __init__(self, settings: AwsSettings) -> None:
        super().__init__(AwsTarget, "AWS", lambda target: AwsClients(settings, target))
