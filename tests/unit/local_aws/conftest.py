"""A local account behind HTTP, on a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve
from tests.unit.local_aws.everything import TEMPLATE, put_assets
from tests.unit.local_aws.step_functions import StepFunctions, beside


@dataclass
class Account:
    url: str
    clock: VirtualClock
    stepfunctions: StepFunctions

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

    def resources(self, stack: str) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


@contextmanager
def open_account() -> Iterator[Account]:
    clock, stepfunctions = VirtualClock(), StepFunctions()
    with serve(beside(create_app(clock, sleep=clock.advance), stepfunctions), name="account") as server:
        yield Account(server.url, clock, stepfunctions)


@pytest.fixture
def account() -> Iterator[Account]:
    with open_account() as opened:
        yield opened


@pytest.fixture(scope="module")
def everything() -> Iterator[Account]:
    """An account with the stack `everything`, shared by the tests of a module, which only read."""
    with open_account() as opened:
        put_assets(opened.client("s3"))
        opened.client("cloudformation").create_stack(StackName="everything", TemplateBody=TEMPLATE)
        yield opened
