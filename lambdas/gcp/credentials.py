"""Who we are to Google Cloud: what a target or the settings name, or whatever identity the environment describes.

A Lambda role is exchanged for a Google token without a stored secret (workload identity federation): we sign a request
that says who we are and do not send it, Google's STS has it checked, and what it gives may act as a service account.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import google.auth
from botocore.session import Session
from google.auth import aws, impersonated_credentials
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import Request, Response

from lambdas.core.targets import DEFAULT, GcpTarget
from lambdas.gcp.errors import sign_in_refused
from lambdas.gcp.settings import GcpSettings

SCOPES: Final = ("https://www.googleapis.com/auth/compute",)

_AWS_REQUEST: Final = "urn:ietf:params:aws:token-type:aws4_request"


class _Identity(NamedTuple):
    service_account: str
    provider: str


def target_credentials(settings: GcpSettings, target: GcpTarget | None, scopes: Sequence[str] = SCOPES) -> Credentials:
    """The credentials for a target. google-auth keeps their token and renews it minutes before it expires."""
    own = _Identity(settings.service_account, settings.workload_identity_provider)
    named = _Identity(target.service_account, target.workload_identity_provider) if target else own
    identity = named if any(named) else own
    if identity.provider:
        return SignIn(_federated(settings, identity, scopes), target)
    described, _ = google.auth.default(scopes=scopes)
    if not identity.service_account:
        return described
    return SignIn(_impersonated(settings, described, identity.service_account, scopes), target)


class SignIn(Credentials):
    """Credentials whose refusals name the target: RetryableError or TerminalError, as a step raises them."""

    def __init__(self, credentials: Any, target: GcpTarget | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth is untyped
        self._credentials = credentials
        self._target = target.name if target else DEFAULT

    @property
    def universe_domain(self) -> str:
        """Which Google Cloud they are for: the public one or a sovereign one."""
        return str(self._credentials.universe_domain)

    def refresh(self, request: Request) -> None:
        """Get a token, by as many exchanges as it takes."""
        noting = _NotingRequest(request)
        try:
            self._credentials.refresh(noting)
        except GoogleAuthError as error:
            raise sign_in_refused(error, noting.status, noting.reason, self._target) from error
        self.token = self._credentials.token
        self.expiry = self._credentials.expiry


class _NotingRequest(Request):
    """Passes requests on and remembers how the last was refused: google-auth's exceptions do not say the status."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.status = 0
        self.reason = ""

    def __call__(self, *args: Any, **options: Any) -> Response:
        """Make one request."""
        self.status, self.reason = 0, ""
        response: Response = self._request(*args, **options)
        self.status = response.status
        if self.status != 200:
            self.reason = _reason(response.data)
        return response


class _RoleSupplier(aws.AwsSecurityCredentialsSupplier):
    """The function's own role, from where the AWS SDK has it; google-auth's own search ends at a metadata service."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._session = Session()

    def get_aws_security_credentials(self, context: Any, request: Any) -> aws.AwsSecurityCredentials:
        """The keys to sign with."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise GoogleAuthError("there are no AWS credentials to prove our role with")  # type: ignore[no-untyped-call]  # google-auth is untyped
        keys: Any = credentials.get_frozen_credentials()
        return aws.AwsSecurityCredentials(keys.access_key, keys.secret_key, keys.token)

    def get_aws_region(self, context: Any, request: Any) -> str:
        """The region whose STS is to be asked who signed."""
        return self._region


def _federated(settings: GcpSettings, identity: _Identity, scopes: Sequence[str]) -> Any:
    account = f"projects/-/serviceAccounts/{identity.service_account}:generateAccessToken"
    impersonation = f"{settings.iam_endpoint}/v1/{account}" if identity.service_account else None
    return aws.Credentials(  # type: ignore[no-untyped-call]  # google-auth is untyped
        audience=f"//iam.googleapis.com/{identity.provider}",
        subject_token_type=_AWS_REQUEST,
        token_url=f"{settings.sts_endpoint}/v1/token",
        service_account_impersonation_url=impersonation,
        aws_security_credentials_supplier=_RoleSupplier(settings.aws_region),
        scopes=list(scopes),
    )


def _impersonated(settings: GcpSettings, source: Any, service_account: str, scopes: Sequence[str]) -> Any:
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth is untyped
        source_credentials=source,
        target_principal=service_account,
        target_scopes=list(scopes),
        iam_endpoint_override=f"{settings.iam_endpoint}/v1/projects/-/serviceAccounts/{service_account}:generateAccessToken",
    )


def _reason(body: bytes | str) -> str:
    """What Google says is wrong: an OAuth error with its description, or an API error's message."""
    try:
        document = json.loads(body)
        error = document["error"]
    except (ValueError, TypeError, KeyError):
        return ""
    if isinstance(error, dict):
        return str(error.get("message", ""))[:300]
    return f"{error}: {document.get('error_description', '')}"[:300]
