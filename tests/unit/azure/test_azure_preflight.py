"""What Azure would refuse: sizes that are not for this subscription, and usages that leave too little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.core.preflight import MOST_KINDS
from local.simulators.faults import Fault, FaultKind
from tests.contract.azure_cloud import azure_cloud
from tests.contract.cloud import PublicCloud


@pytest.fixture
def azure() -> Iterator[PublicCloud]:
    with azure_cloud() as cloud:
        yield cloud


def test_a_size_that_is_closed_to_the_subscription_is_refused_with_azures_reason(azure: PublicCloud) -> None:
    azure.arm([Fault(operation="ResourceSkus_List", fault=FaultKind.CAPACITY)])

    [shortage] = azure.provider.shortages([azure.intent()])

    assert shortage.code == "SkuNotAvailable"
    assert "Standard_B1s is not available in westeurope: NotAvailableForSubscription" in shortage.message


def test_cores_are_short_in_all_and_per_family_machines_among_all_who_ask(azure: PublicCloud) -> None:
    azure.arm([Fault(operation="Usage_List", fault=FaultKind.CAPACITY)])
    small, large = azure.intent(resource_id="small"), azure.intent(resource_id="large", size="Standard_D4s_v5")

    short = {it.message.split(": ")[1]: (it.resources, it.needed) for it in azure.provider.shortages([small, large])}

    assert short == {
        "virtualMachines in westeurope": (("small", "large"), 2),
        "cores in westeurope": (("small", "large"), 5),
        "standardBSFamily in westeurope": (("small",), 1),
        "standardDSv5Family in westeurope": (("large",), 4),
    }


@pytest.mark.parametrize(("public", "short"), [(True, 2), (False, 1)])
def test_an_address_is_asked_for_only_where_there_is_to_be_one(azure: PublicCloud, public: bool, short: int) -> None:
    azure.arm([Fault(operation="Usages_List", fault=FaultKind.CAPACITY)])

    assert len(azure.provider.shortages([azure.intent(public_address=public)])) == short


def test_more_machines_than_the_regions_cores_are_refused_together(azure: PublicCloud) -> None:
    many = [azure.intent(resource_id=f"web-{number}", size="Standard_D4s_v5") for number in range(26)]

    short = {it.message.split(" in ")[0]: len(it.resources) for it in azure.provider.shortages(many)}

    assert short == {"QuotaExceeded: cores": 26, "QuotaExceeded: standardDSv5Family": 26}


def test_disks_are_left_to_azure(azure: PublicCloud) -> None:
    assert azure.provider.shortages([azure.intent("disk", "data")]) == []
    assert azure.calls() == []


def test_a_size_that_is_not_offered_is_one_refusal_for_all_who_ask_for_it(azure: PublicCloud) -> None:
    sizes = ["Standard_B1s", "Standard_Nowhere"]
    many = [azure.intent(resource_id=f"web-{place}", size=sizes[place % 2]) for place in range(2_000)]

    refusal, *usages = azure.provider.shortages(many)

    assert refusal.message == "SkuNotAvailable: Standard_Nowhere is not offered in westeurope"
    assert refusal.resources == tuple(f"web-{place}" for place in range(1, 2_000, 2))
    assert {it.resources for it in usages} == {tuple(f"web-{place}" for place in range(0, 2_000, 2))}
    asked = [call.operation for call in azure.calls() if call.operation in ("ResourceSkus_List", "Usage_List")]
    assert sorted(asked) == ["ResourceSkus_List", "Usage_List"]


def test_so_many_sizes_are_refused_at_once_as_an_answer_has_room_for(azure: PublicCloud) -> None:
    many = [azure.intent(resource_id=f"web-{place}", size=f"Standard_X{place}") for place in range(MOST_KINDS + 20)]

    refusals = azure.provider.shortages(many)

    assert [it.resources for it in refusals] == [(f"web-{place}",) for place in range(MOST_KINDS)]
