"""What the FinOps Foundation's own validator says of a window's file, where it is installed: FOCUS_VALIDATOR names it.

    python -m venv VENV && VENV/bin/pip install focus-validator==1.0.0 'multimethod<2'
    FOCUS_VALIDATOR=VENV/bin/focus-validator make test

It knows FOCUS 1.0, which 1.2 only adds to, and cannot live in the environment of this project.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.billing.charges import EVERY_KIND
from tests.unit.billing.conftest import Costs
from tests.unit.billing.test_cost_files import KEY, WINDOW

VALIDATOR = os.environ.get("FOCUS_VALIDATOR", "")

ITS_OWN = {
    "InvoiceIssuer_Required",
    "Provider_Required",
    "Publisher_Required",
    "ResourceID_Required",
    "SkuPriceId_Nullable",
    "BillingCurrency_IsCurrencyCode",
}
"""What 1.0.0 complains of in any file of 1.0: columns by names that no version has (InvoiceIssuer, ChargeType), and a
list of currencies that its package lacks."""


@pytest.mark.skipif(not VALIDATOR, reason="FOCUS_VALIDATOR names no validator")
def test_a_window_of_every_kind_of_charge_is_found_no_fault_with_but_the_validators_own(
    costs: Costs, tmp_path: Path
) -> None:
    # it takes identifiers for numbers where they look like some
    accounts = {"BillingAccountId": "payer-1", "SubAccountId": "account-1"}
    path = tmp_path / "window.csv"
    with costs.arranged([make(**accounts) for make in EVERY_KIND]) as arranged:
        arranged.write(WINDOW, KEY, closed=True)
    costs.query(KEY, _as_csv(path))
    command = [VALIDATOR, "--data-file", str(path), "--validate-version", "1.0"]
    said = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the operator's choice
    assert "Errors encountered" in said.stdout, said.stderr
    assert set(re.findall(r"^\s*(\w+_\w+) failed:", said.stdout, re.MULTILINE)) <= ITS_OWN


def _as_csv(path: Path) -> str:
    """With moments and tags as the specification wants them in text."""
    moments = ", ".join(
        f"""strftime("{name}", '%Y-%m-%dT%H:%M:%SZ') AS "{name}\""""
        for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
    )
    maps = 'to_json("Tags") AS "Tags", to_json("SkuPriceDetails") AS "SkuPriceDetails"'
    return f"COPY (SELECT * REPLACE ({moments}, {maps}) FROM file) TO '{path}' (HEADER)"  # noqa: S608
