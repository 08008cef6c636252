"""IAM authorization: a request counts as a caller's only if its Signature Version 4 is right."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from local.http_api.request import HttpRequest

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 "
    r"Credential=(?P<key>[^/\s]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
# "Elements of an AWS API request signature": a request must reach AWS within five minutes of its time stamp.
_LONGEST_SKEW_SECONDS = 300


@dataclass(frozen=True)
class IamIdentity:
    """The signer of a request, as `requestContext.authorizer.iam` names it."""

    access_key: str
    account: str

    def to_event(self) -> dict[str, Any]:
        """Return the object that API Gateway puts into the event."""
        signer = {
            "accessKey": self.access_key,
            "accountId": self.account,
            "callerId": self.access_key,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": f"arn:aws:iam::{self.account}:user/{self.access_key}",
            "userId": self.access_key,
        }
        return {"iam": signer}


def authenticate(request: HttpRequest, credentials: Mapping[str, str], account: str, region: str) -> IamIdentity | None:
    """Return who signed `request` for execute-api in `region` with a key pair of `credentials`, None if nobody did."""
    claim = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if claim is None or (claim["service"], claim["region"]) != ("execute-api", region):
        return None
    secret = credentials.get(claim["key"])
    if secret is None or not _is_current(request, claim["date"]) or not _has_its_payload(request):
        return None
    signed_headers = claim["headers"].split(";")
    if "host" not in signed_headers or any(name not in request.headers for name in signed_headers):
        return None
    expected = _signature(request, Credentials(claim["key"], secret), region, signed_headers)
    return IamIdentity(claim["key"], account) if hmac.compare_digest(expected, claim["signature"]) else None


class _ReceivedSignature(SigV4Auth):
    """Signature Version 4 over exactly the headers that the sender says it signed."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers: HTTPHeaders = request.headers
        return headers


def _signature(request: HttpRequest, credentials: Credentials, region: str, signed_headers: list[str]) -> str:
    received = AWSRequest(
        method=request.method,
        url=f"http://{request.headers['host']}{request.target}",
        headers={name: request.headers[name] for name in signed_headers},
        data=request.body,
    )
    received.context["timestamp"] = request.headers["x-amz-date"]
    auth = _ReceivedSignature(credentials, "execute-api", region)
    signature: str = auth.signature(auth.string_to_sign(received, auth.canonical_request(received)), received)
    return signature


def _is_current(request: HttpRequest, scope_date: str) -> bool:
    stamp = request.headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return False
    return stamp.startswith(scope_date) and abs(time.time() - signed_at) <= _LONGEST_SKEW_SECONDS


def _has_its_payload(request: HttpRequest) -> bool:
    # The signature covers this header instead of the body wherever it is sent.
    declared = request.headers.get("x-amz-content-sha256")
    return declared is None or hmac.compare_digest(declared, hashlib.sha256(request.body).hexdigest())
