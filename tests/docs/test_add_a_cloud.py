"""A cloud is added by doing what the page says, and keeps to everything that the others keep to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.guide import apply
from tests.docs.markdown import blocks_of
from tests.docs.tree import ROOT, copy_tree, run

PAGE: Final = ROOT / "docs" / "add-a-cloud.md"
STEPS: Final = ("ruff check", "ruff format", "lint-imports", "tests/contract", "tests/e2e")


@pytest.fixture(name="said", scope="module")
def _said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command said on the tree that the page had been applied to, one after the other."""
    tree = copy_tree(tmp_path_factory.mktemp("cloud") / "skysaga")
    return dict(_follow(tree))


def _follow(tree: Path) -> Iterator[tuple[str, str]]:
    for block in blocks_of(PAGE):
        for command in (apply(block, tree) or "").splitlines():
            yield command, run(command, tree)


def test_the_new_parts_are_of_the_style_of_the_others_and_in_their_place(said: dict[str, str]) -> None:
    assert [step for step in STEPS if not any(step in command for command in said)] == []


def test_the_new_provider_keeps_the_contract_and_its_saga_is_undone_when_it_fails(said: dict[str, str]) -> None:
    (proof,) = [output for command, output in said.items() if "pytest" in command]
    assert "failed" not in proof
    assert int(proof.rsplit(" passed", 1)[0].rsplit(maxsplit=1)[-1].lstrip("\n")) > 40
