"""What EC2 and EBS cost by the price list, asked by the real SDK of a simulated list."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from botocore.stub import Stubber

from lambdas.aws.clients import AwsAccounts
from lambdas.aws.prices import AwsPrices
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError
from lambdas.core.model import Intent
from lambdas.core.prices import MOST_LOOKED_UP, Price
from local.aws.account import create_ec2
from local.aws.price_list import PriceList
from local.clock import VirtualClock
from local.http_server import serve
from tests.contract.aws_cloud import definition


def intent(kind: str = "instance", **spec: Any) -> Intent:
    return Intent(saga_id="splan", definition=definition(kind, **spec))


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsAccounts]:
    ec2, price_list = create_ec2(VirtualClock()), PriceList()

    def account(environ: Any, start_response: Any) -> Any:
        pricing = environ.get("HTTP_X_AMZ_TARGET", "").startswith("AWSPriceListService")
        return (price_list if pricing else ec2)(environ, start_response)

    with serve(account, name="aws") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        yield AwsAccounts(AwsSettings())


def test_an_instance_costs_what_its_size_is_listed_at(accounts: AwsAccounts) -> None:
    [price] = AwsPrices(accounts).prices([intent()])

    assert price == Price(
        resource="web", hourly=Decimal("0.0104"), currency="USD", basis="t3.micro with Linux, on demand"
    )


def test_a_disk_costs_its_share_of_a_month(accounts: AwsAccounts) -> None:
    [price] = AwsPrices(accounts).prices([intent("disk", size_gb=730)])

    assert round(price.hourly, 10) == Decimal("0.08")
    assert price.basis == "730 GB of gp3, without IOPS of its own"


def test_what_is_not_listed_has_no_price(accounts: AwsAccounts) -> None:
    assert AwsPrices(accounts).prices([intent(size="x9.large"), intent("disk", type="io2")]) == []


def test_an_image_with_a_price_of_its_own_is_left_out(accounts: AwsAccounts) -> None:
    prices = AwsPrices(accounts)
    client = accounts.of(None).ec2("eu-west-1")
    with Stubber(client) as stub:
        for platform in ("Windows", "SQL Server Enterprise"):
            stub.add_response("describe_images", {"Images": [{"PlatformDetails": platform}]})
        [windows] = prices.prices([intent(), intent(image="ami-0fedcba9876543210")])

    assert (windows.hourly, windows.basis) == (Decimal("0.0156"), "t3.micro with Windows, on demand")


def test_the_list_is_asked_once_for_one_thing(accounts: AwsAccounts) -> None:
    prices = AwsPrices(accounts)
    prices.prices([intent()])

    with Stubber(accounts.of(None).price_list()):  # which answers nothing
        assert len(prices.prices([intent()])) == 1


def test_an_image_is_asked_for_once_however_many_machines_have_it(accounts: AwsAccounts) -> None:
    client = accounts.of(None).ec2("eu-west-1")
    with Stubber(client) as stub:
        stub.add_response("describe_images", {"Images": [{}]})
        assert len(AwsPrices(accounts).prices([intent() for _ in range(100)])) == 100


def test_of_too_many_sizes_the_first_have_prices_and_the_next_check_goes_on(accounts: AwsAccounts) -> None:
    prices = AwsPrices(accounts)
    many = [intent(size=f"x9.{number}large") for number in range(MOST_LOOKED_UP)]

    assert [it.basis for it in prices.prices([intent(), *many, intent(size="t3.small")])] == [
        "t3.micro with Linux, on demand"
    ]
    assert len(prices.prices([intent(), *many, intent(size="t3.small")])) == 2


def test_a_list_that_is_throttled_is_to_be_asked_again(accounts: AwsAccounts) -> None:
    client = accounts.of(None).price_list()
    with Stubber(client) as stub:
        stub.add_client_error("get_products", "ThrottlingException", http_status_code=400)
        with pytest.raises(RetryableError, match="ThrottlingException"):
            AwsPrices(accounts).prices([intent()])
