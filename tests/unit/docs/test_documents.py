"""What the documents say is there, is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "scvmm", "vsphere"])
def test_the_page_of_errors_lists_every_code(provider: str) -> None:
    errors = importlib.import_module(f"lambdas.{provider}.errors")
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in errors.RETRYABLE_CODES | errors.CAPACITY_CODES if f"`{code}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_file_that_answers_a_threat_is_there() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text()
    named = set(re.findall(r"`((?:checks|infra|lambdas|local|tests)/[\w/.-]+|\w+\.txt)`", page))
    assert len(named) > 20
    assert sorted(it for it in named if not (ROOT / it).exists()) == []


def test_the_readme_names_every_make_target_that_people_need_and_only_such_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test", "up", "help", "synth", "deploy"} <= named <= targets
