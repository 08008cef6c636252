"""What a machine of a request needs."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from lambdas.core.clusters import Amounts
from lambdas.core.placement.needs import Need, group_key, need_of
from lambdas.core.request import parse_request
from lambdas.core.specs.private import PrivateInstance
from tests.fakes.documents import request_document, vsphere_instance

CALLER = "arn:aws:iam::111122223333:user/somebody"
groups = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")


def definition(**placement: Any) -> PrivateInstance:
    [it] = parse_request(request_document(vsphere_instance(**placement))).resources
    assert isinstance(it, PrivateInstance)
    return it


def test_everything_that_a_request_says_of_a_machine_is_in_its_need() -> None:
    asked = definition(cpu=3, memory_gb=2, disk_gb=9, labels={"tier": "gold"}, anti_affinity="web", prefer="pack")
    assert need_of(asked, CALLER, near="berlin-1", excluded=["berlin-2"]) == Need(
        provider="vsphere",
        amounts=Amounts(cpu=3, memory_mb=2048, disk_gb=9),
        image="ubuntu-24.04",
        target="default",
        network=None,
        labels={"tier": "gold"},
        group=group_key(CALLER, "web"),
        near="berlin-1",
        prefer="pack",
        excluded=frozenset({"berlin-2"}),
    )


def test_a_machine_of_no_group_has_no_key() -> None:
    assert need_of(definition(), CALLER).group == ""


@given(st.text(), st.text(), groups, groups)
def test_two_groups_share_a_key_only_if_caller_and_name_are_the_same(a: str, b: str, one: str, two: str) -> None:
    assume((a, one) != (b, two))
    assert group_key(a, one) != group_key(b, two)


@given(st.text(), groups)
def test_a_key_is_short_and_always_the_same(caller: str, group: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{16}", group_key(caller, group))
    assert group_key(caller, group) == group_key(caller, group)


def test_a_key_tells_neither_the_caller_nor_the_group() -> None:
    key = group_key(CALLER, "web")
    assert "web" not in key
    assert "somebody" not in key
