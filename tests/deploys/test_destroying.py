"""What `cdk destroy --all` leaves: the ledger and costs with their key, and the CDK's own bootstrap."""

from __future__ import annotations

from infra.constructs.costs import WINDOWS
from infra.packaging.bundles import ROOT
from local.machine import REGION
from tests.deploys.command_line import ACCOUNT
from tests.deploys.leftovers import BOOTSTRAP, Leftovers


def test_nothing_is_left_but_the_ledger_costs_and_the_bootstrap(left: Leftovers) -> None:
    assert set(left) == {"buckets", "keys", "stacks", "tables"}
    assert left["stacks"] == [BOOTSTRAP]
    ledger, windows = sorted(left["tables"])
    assert ledger.startswith("SkysagaData-Ledger")
    assert windows == WINDOWS
    assert left["buckets"] == [f"skysaga-costs-{ACCOUNT}-{REGION}"]
    assert left["keys"] == ["skysaga: the ledger and costs"]


def test_the_readme_names_what_is_left() -> None:
    readme = (ROOT / "README.md").read_text()

    assert "`SkysagaData-Ledger" in readme
    assert f"`{BOOTSTRAP}`" in readme


def test_the_page_about_operations_names_what_is_left_of_costs() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()

    assert "`skysaga-costs-ACCOUNT-REGION`" in page
    assert f"`{WINDOWS}`" in page
