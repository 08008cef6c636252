"""What it takes to deliver to a webhook: its secrets, a request over HTTP, and a queue that comes back later."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.adapters.refusals import retryable
from lambdas.core.errors import RetryableError
from lambdas.core.webhooks import Answer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SECONDS: Final = 10.0
"""How long a receiver may take to answer."""

KEPT_SECONDS: Final = 60.0
"""How long a secret is taken for what it was: so soon a rotation is known everywhere."""

_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"


class WebhookSecrets:
    """The secrets of webhooks in Secrets Manager: the current one, and the one before for as long as it is kept."""

    def __init__(self, client: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._read_at: dict[str, tuple[float, Sequence[str]]] = {}

    def of(self, name: str) -> Sequence[str]:
        """What deliveries are signed with, the current one first; raises RetryableError."""
        at, secrets = self._read_at.get(name, (0.0, ()))
        if not secrets or self._monotonic() - at >= KEPT_SECONDS:
            secrets = [it for stage in (_CURRENT, _PREVIOUS) if (it := self._read(name, stage)) is not None]
            self._read_at[name] = self._monotonic(), secrets
        return secrets

    def _read(self, name: str, stage: str) -> str | None:
        try:
            return str(self._client.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"])
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if stage == _PREVIOUS and code == "ResourceNotFoundException":
                return None
            raise RetryableError(code, f"the secret {name} cannot be read") from error
        except BotoCoreError as error:
            raise RetryableError(type(error).__name__, "Secrets Manager did not answer") from error


class Receivers(Protocol):
    """Those who are posted to."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """Post once; None where nobody answered in time."""
        ...


class HttpReceivers:
    """Posts over HTTP: follows no redirect, takes no proxy, and reads of an answer its status and one header."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=seconds))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """Post once; None where nobody answered in time."""
        try:
            answer = self._pool.request(
                "POST", url, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError):
            return None
        status, wait = answer.status, answer.headers.get("Retry-After")
        answer.close()  # whatever else it says is nobody's business
        return Answer(status, _seconds(wait, datetime.now(UTC)))


class RetryQueues:
    """Queues, by ARN, whose messages are to be seen again later than usual."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client

    def hide(self, queue_arn: str, receipt: str, seconds: int) -> None:
        """Show a message again after so many seconds; raises RetryableError."""
        with retryable("the queue refused", "the queue did not answer"):
            url = self._client.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"]
            self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)


def _seconds(header: str | None, now: datetime) -> float | None:
    """What Retry-After says, in seconds from `now`: it has either these or a date; None where it has neither."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
