"""What the functions of one machine are told from outside, by variables that they and their SDKs read themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from local.assembly import PROJECT, SUBSCRIPTION
from local.simulators.gcp import write_service_account

PATIENCE: Final = {
    "AWS_SETTLING_SECONDS": "1",
    "AZURE_SETTLING_SECONDS": "1",
    "GOOGLE_SETTLING_SECONDS": "1",
    "SCVMM_REPEAT_SECONDS": "8",
    "SCVMM_SETTLING_SECONDS": "2",
    "VSPHERE_REPEAT_SECONDS": "8",
    "VSPHERE_SETTLING_SECONDS": "2",
    "SKYSAGA_GRANTS_SECONDS": "1",
    "SKYSAGA_MIN_DELAY": "1",
    "SKYSAGA_MAX_DELAY": "2",
}
"""The simulated clouds are quicker than the real ones, so waiting for them is shorter, too."""


def worker_environment(aws: str, azure: str, gcp: str, google_key: Path) -> dict[str, str]:
    """What functions are told from outside: where the clouds are, who they are to them, and how quick these are.

    Their key to Google is written into the file `google_key`.
    """
    write_service_account(google_key, f"{gcp}/_token")
    return {
        **PATIENCE,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AZURE_RESOURCE_MANAGER_ENDPOINT": azure,
        "AZURE_RETAIL_PRICES_ENDPOINT": azure,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "IDENTITY_ENDPOINT": f"{azure}/_identity/token",
        "IDENTITY_HEADER": "local",
        "GOOGLE_COMPUTE_ENDPOINT": gcp,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "GOOGLE_APPLICATION_CREDENTIALS": str(google_key),
    }
