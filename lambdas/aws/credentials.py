"""Who we are in another account: the role that its target names, assumed for an hour and renewed before it is over.

botocore does both; what is ours is how little is asked for, and how a refusal is told.
"""

from __future__ import annotations

from typing import Any, Final

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.session import Session

from lambdas.adapters.clients import session
from lambdas.aws.errors import translated
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.targets import AwsTarget

VERB_TAG: Final = "skysaga-verb"
"""The session tag by which a role in another account tells what a function is for."""

METHOD: Final = "assume-role"


class _RoleProvider(CredentialProvider):
    """The one source of a session's credentials."""

    METHOD = METHOD

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials


def role_session(settings: AwsSettings, target: AwsTarget, config: Config) -> Session:
    """A session in a target's account: its role is assumed with the first call, and again minutes before it ends.

    Its clients raise RetryableError or TerminalError when the role is not to be had.
    """
    own = _session()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda name, **keys: own.create_client(name, settings.home_region, config=config, **keys),
        source_credentials=own.get_credentials(),
        role_arn=str(target.role_arn),
        extra_args=_arguments(settings, target),
    )
    credentials = DeferredRefreshableCredentials(lambda: _assumed(fetcher, target), METHOD)
    theirs = _session()
    theirs.register_component("credential_provider", CredentialResolver([_RoleProvider(credentials)]))
    return theirs


def _arguments(settings: AwsSettings, target: AwsTarget) -> dict[str, Any]:
    arguments: dict[str, Any] = {"RoleSessionName": settings.function}
    if settings.verb:
        arguments["Tags"] = [{"Key": VERB_TAG, "Value": settings.verb}]
    if target.external_id:
        arguments["ExternalId"] = target.external_id
    return arguments


def _assumed(fetcher: AssumeRoleCredentialFetcher, target: AwsTarget) -> Any:
    """The role's credentials; what STS says instead names the target, and what to do."""
    try:
        with translated():
            return fetcher.fetch_credentials()
    except RetryableError as error:
        raise RetryableError(error.code, f"STS gives no session in the target {target.name!r} just now") from error
    except StepError as error:
        said = str(error).partition(": ")[2]
        raise TerminalError(
            error.code,
            f"the target {target.name!r} lets nobody in: {target.role_arn} must exist, trust this function's role and "
            f"the tag {VERB_TAG}, and demand no other external id than is declared ({said})",
        ) from error


def _session() -> Session:
    made = Session()
    # EC2's description takes longer to read than a role to assume: all accounts share what has been read.
    made.register_component("data_loader", session().get_component("data_loader"))
    return made
