"""`cdk bootstrap` and `cdk deploy --all`, and what the account says it was given."""

from __future__ import annotations

import pytest

from tests.deploys import billing_resources, cluster_resources
from tests.deploys.conftest import STACKS, First, ReadBack, Sagas
from tests.deploys.reading import READERS
from tests.deploys.site import MACHINES


@pytest.mark.parametrize("stack", STACKS)
def test_the_command_line_deploys_every_stack(first: First, stack: str) -> None:
    assert f"✅  {stack}\n" in first.said
    assert first.stacks[stack] == "CREATE_COMPLETE"


@pytest.mark.parametrize("stack", STACKS)
def test_deploying_the_same_again_changes_nothing(first: First, stack: str) -> None:
    assert f"✅  {stack} (no changes)" in first.said_again


def test_every_type_of_resource_is_read_back(read_back: ReadBack) -> None:
    deployed = {kind for kind, _ in read_back.differences.values()}
    elsewhere = {**cluster_resources.RESOURCES, **billing_resources.RESOURCES}
    assert deployed | {kind for kind, _ in elsewhere.values()} == set(READERS), "test_reading.py reads the latter"


@pytest.mark.parametrize("kind", sorted(READERS))
def test_what_was_deployed_is_what_the_template_says(read_back: ReadBack, kind: str) -> None:
    found = {name: said for name, (it, said) in read_back.differences.items() if it == kind and said}

    assert found == {}


def test_every_placeholder_of_a_definition_was_filled(read_back: ReadBack) -> None:
    assert set(read_back.definitions) == set(MACHINES)
    for name, definition in read_back.definitions.items():
        assert "${" not in definition, name
        assert "arn:aws:lambda:us-east-1:123456789012:function:skysaga-" in definition, name


def test_a_saga_commits_on_what_was_deployed(sagas: Sagas) -> None:
    assert sagas.committed["status"] == "COMMITTED"
    wanted = [it["id"] for it in sagas.committed["resources"]]
    assert len(wanted) == 6
    assert [it for it in wanted if not any(held["name"].endswith(it) for held in sagas.resources)] == []


def test_a_saga_is_rolled_back_on_what_was_deployed(sagas: Sagas) -> None:
    assert sagas.rolled_back["status"] == "ROLLED_BACK"
    assert sagas.resources_after == []
