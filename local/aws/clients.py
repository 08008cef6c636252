"""boto3 clients of the local account; any credentials do, and nothing here is a secret."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any, Final

import boto3
from botocore.auth import AUTH_TYPE_MAPS, BaseSigner
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from local.aws.in_process import answer_here
from local.aws.sdk_corrections import one_session

_one_at_a_time = Lock()  # clients may be shared between threads, the session that makes them may not

READ_SECONDS = 300  # a stack is done when the call that asks for it returns


def create_client(service: str, endpoint: str, region: str) -> Any:
    """A client of `service` at `endpoint` that asks once, path-style for S3.

    What this process serves itself is asked without a socket. Requests say who asks and are not signed.
    """
    config = Config(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        retries={"total_max_attempts": 1},
        read_timeout=READ_SECONDS,
        user_agent="skysaga",  # botocore makes up its own anew for every request
    )
    with _one_at_a_time:
        client = _session().client(service, region_name=region, endpoint_url=endpoint, config=config)
    client.meta.events.register("before-send", answer_here)
    client.meta.events.register_first("choose-signer", _sign_nothing)  # before botocore chooses one for S3
    return client


class _Unsigned(BaseSigner):
    """Says who asks which service in which region, and does not prove it: nobody here has it proved.

    Signing an upload takes as long as hashing it.
    """

    REQUIRES_REGION = True
    _ANY_DAY: Final = "20260101"

    def __init__(self, credentials: ReadOnlyCredentials, service_name: str, region_name: str) -> None:
        self._scope = f"Credential={credentials.access_key}/{self._ANY_DAY}/{region_name}/{service_name}/aws4_request"

    def add_auth(self, request: AWSRequest) -> None:
        """Add the header that a signature would be in."""
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 {self._scope}, SignedHeaders=host, Signature=none"


_UNSIGNED: Final = "skysaga-unsigned"
AUTH_TYPE_MAPS[_UNSIGNED] = _Unsigned


def _sign_nothing(signature_version: str, **_: Any) -> str | None:
    """Handle a client's `choose-signer` event; a link that is good by its signature has a real one."""
    return None if signature_version.endswith(("-query", "-presign-post")) else _UNSIGNED


@cache
def _session() -> Any:
    # One for the process: it keeps the service descriptions, which take longer to read than most stacks to deploy.
    return boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - any will do
        botocore_session=one_session(),
    )
