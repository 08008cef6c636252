"""Who we are to Azure: the client that a target names, or whatever identity the environment describes.

A Lambda role is exchanged for an Azure token without a stored secret: STS signs a token that says who we are (outbound
identity federation), and an Azure application trusts it. The SDK keeps a token and renews it before it expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import ChainedTokenCredential, ClientAssertionCredential, DefaultAzureCredential
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lambdas.adapters.clients import session
from lambdas.azure.errors import sign_in_refused
from lambdas.azure.settings import AzureSettings
from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.targets import DEFAULT, AzureTarget

if TYPE_CHECKING:
    from mypy_boto3_sts.type_defs import GetWebIdentityTokenResponseTypeDef

AUDIENCE: Final = "api://AzureADTokenExchange"

_STS_PASSING: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "Throttling", "ThrottlingException"})


class SignIn:
    """The credential for one target, for the SDK's clients: what it does not get, it says as a step error.

    That is RetryableError or TerminalError, with the target's name and what there is to do.
    """

    def __init__(self, settings: AzureSettings, target: AzureTarget | None = None) -> None:
        self._target = target.name if target else DEFAULT
        self._assertion = RoleAssertion(settings)
        self._credential = target_credential(settings, target, self._assertion)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token that is valid for minutes at least."""
        self._assertion.failure = None
        try:
            return self._credential.get_token(*scopes, **options)
        except AzureError as error:
            raise (self._assertion.failure or sign_in_refused(error, self._target)) from error


class RoleAssertion:
    """The proof of which AWS role we are; `failure` is why there was none, which a chain of credentials forgets."""

    def __init__(self, settings: AzureSettings) -> None:
        self._settings = settings
        self.failure: StepError | None = None

    def __call__(self) -> str:
        """A fresh proof; raises RetryableError or TerminalError."""
        try:
            return web_identity_token(self._settings)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            self.failure = _no_proof(error)
            raise self.failure from error


def target_credential(settings: AzureSettings, target: AzureTarget | None, assertion: RoleAssertion) -> TokenCredential:
    """Our AWS role as the client that the target names, or else what the environment describes."""
    if target and target.tenant_id and target.client_id:
        return ClientAssertionCredential(target.tenant_id, target.client_id, assertion, **_patience(settings))
    return azure_credential(settings, assertion)


def azure_credential(settings: AzureSettings, assertion: RoleAssertion | None = None) -> ChainedTokenCredential:
    """The credentials to try in turn: a service principal, a workload identity, a managed identity, our AWS role.

    A managed identity is only asked for where its endpoint is given: the well-known address that is otherwise tried
    does not answer in a Lambda function, and takes its time not to.
    """
    patience = _patience(settings)
    described = DefaultAzureCredential(
        exclude_managed_identity_credential=not settings.identity_endpoint,
        exclude_shared_token_cache_credential=True,
        exclude_visual_studio_code_credential=True,
        exclude_cli_credential=True,
        exclude_developer_cli_credential=True,
        exclude_powershell_credential=True,
        exclude_broker_credential=True,
        **patience,
    )
    if not (settings.tenant_id and settings.client_id):
        return described
    proof = assertion or RoleAssertion(settings)
    role = ClientAssertionCredential(settings.tenant_id, settings.client_id, proof, **patience)
    return ChainedTokenCredential(*described.credentials, role)


def web_identity_token(settings: AzureSettings) -> str:
    """A token, signed by STS in our own region, that says which AWS role we are; the global endpoint gives none."""
    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    sts: Any = session().create_client("sts", config=config)
    answer: GetWebIdentityTokenResponseTypeDef = sts.get_web_identity_token(
        Audience=[AUDIENCE], SigningAlgorithm="RS256"
    )
    return answer["WebIdentityToken"]


def _patience(settings: AzureSettings) -> dict[str, Any]:
    return {"connection_timeout": settings.connect_timeout, "read_timeout": settings.read_timeout, "retry_total": 0}


def _no_proof(error: BotoCoreError | ClientError | ResponseParserError) -> StepError:
    """Why STS signs nothing; its codes are those of GetWebIdentityToken in the STS API reference."""
    if not isinstance(error, ClientError):
        return RetryableError(type(error).__name__, "STS signed no token for Azure just now")
    code = error.response["Error"].get("Code", "Unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status == 429 or code in _STS_PASSING:
        return RetryableError(code, "STS signed no token for Azure just now")
    if code.startswith("OutboundWebIdentityFederationDisabled"):
        return TerminalError(code, "run `aws iam enable-outbound-web-identity-federation` once in this account")
    return TerminalError(code, f"STS signs no token for Azure: {error.response['Error'].get('Message', '')}")
