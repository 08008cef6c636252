"""What `cdk destroy --all` leaves: the ledger with its key, and the CDK's own bootstrap."""

from __future__ import annotations

from infra.packaging.bundles import ROOT
from tests.deploys.leftovers import BOOTSTRAP, Leftovers


def test_nothing_is_left_but_the_ledger_and_the_bootstrap(left: Leftovers) -> None:
    assert set(left) == {"keys", "stacks", "tables"}
    assert left["stacks"] == [BOOTSTRAP]
    (table,) = left["tables"]
    assert table.startswith("SkysagaData-Ledger")
    assert left["keys"] == ["skysaga: the ledger and costs"]


def test_the_readme_names_what_is_left() -> None:
    readme = (ROOT / "README.md").read_text()

    assert "`SkysagaData-Ledger" in readme
    assert f"`{BOOTSTRAP}`" in readme
