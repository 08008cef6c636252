"""Getting into another account: the role is assumed once, renewed in time, and a refusal says where and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.aws.clients import AwsAccounts
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.targets import AwsTarget, GcpTarget
from tests.fakes.token_services import Refusal, TokenServices, sts_refusal, token_services

ROLE = "arn:aws:iam::210987654321:role/skysaga-target"
PAYMENTS = AwsTarget(name="payments", role_arn=ROLE, external_id="agreed")
ENDED = "<Response><Errors><Error><Code>RequestExpired</Code><Message>over</Message></Error></Errors></Response>"


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServices]:
    with token_services() as services:
        monkeypatch.setenv("AWS_ENDPOINT_URL", services.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
        yield services


def accounts(**environ: str) -> AwsAccounts:
    return AwsAccounts(AwsSettings.from_environment(environ))


def look(there: AwsAccounts, target: AwsTarget = PAYMENTS) -> Any:
    """One call of EC2 in the target."""
    clients = there.of(target)
    with clients.asked():
        return clients.ec2("eu-west-1").describe_volumes()


def test_the_role_is_assumed_as_the_functions_verb_and_with_the_external_id(services: TokenServices) -> None:
    look(accounts(SKYSAGA_VERB="delete", AWS_LAMBDA_FUNCTION_NAME="skysaga-aws-delete"))

    (sent,) = services.of("AssumeRole")
    assert (sent["RoleArn"], sent["ExternalId"]) == (ROLE, "agreed")
    assert (sent["Tags.member.1.Key"], sent["Tags.member.1.Value"]) == ("skysaga-verb", "delete")
    assert sent["RoleSessionName"] == "skysaga-aws-delete"


def test_a_role_is_assumed_once_for_every_region_and_call(services: TokenServices) -> None:
    there = accounts()
    for region in ("eu-west-1", "us-east-1", "eu-west-1"):
        there.of(PAYMENTS).ec2(region).describe_volumes()

    assert [it.what for it in services.asked] == ["AssumeRole", *["DescribeVolumes"] * 3]


def test_a_session_that_is_about_to_end_is_renewed_before_it_does(services: TokenServices) -> None:
    there = accounts()
    services.seconds = 300
    look(there)
    services.seconds = 3600
    look(there)
    look(there)

    assert len(services.of("AssumeRole")) == 2


def test_a_session_that_was_ended_is_retryable_and_not_used_again(services: TokenServices) -> None:
    there = accounts()
    look(there)
    services.refusals = [Refusal(400, ENDED)]
    with pytest.raises(RetryableError, match="RequestExpired"):
        look(there)
    look(there)

    assert len(services.of("AssumeRole")) == 2


def test_two_targets_are_two_sessions(services: TokenServices) -> None:
    there = accounts()
    look(there)
    look(there, PAYMENTS.model_copy(update={"name": "other", "role_arn": ROLE.replace("2109", "3109")}))

    assert len({it["RoleArn"] for it in services.of("AssumeRole")}) == 2


def test_the_functions_own_account_needs_no_role(services: TokenServices) -> None:
    look(accounts(), AwsTarget())

    assert services.of("AssumeRole") == []


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (sts_refusal("AccessDenied"), TerminalError),
        (sts_refusal("RegionDisabledException"), TerminalError),
        (sts_refusal("Throttling", 400), RetryableError),
        (sts_refusal("ExpiredTokenException", 400), RetryableError),
        (sts_refusal("InternalFailure", 500), RetryableError),
        (Refusal(503, "down"), RetryableError),
        (Refusal(0), RetryableError),
    ],
)
def test_a_refused_role_says_which_target_it_was_for(
    services: TokenServices, refusal: Refusal, error: type[StepError]
) -> None:
    there = accounts()
    services.refusals = [refusal]
    with pytest.raises(error, match="'payments'"):
        look(there)
    look(there)

    assert len(services.of("AssumeRole")) == 2


def test_one_that_will_not_pass_says_what_to_do(services: TokenServices) -> None:
    services.refusals = [sts_refusal("AccessDenied")]
    with pytest.raises(TerminalError, match=f"^AccessDenied: .*{ROLE} must exist, trust .* external id"):
        look(accounts())


def test_another_clouds_target_is_refused() -> None:
    with pytest.raises(TerminalError, match="not a target on AWS"):
        accounts().of(GcpTarget(name="shop", project="shop"))
