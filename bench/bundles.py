"""What each function weighs: its code and its layer, as they are deployed."""

from __future__ import annotations

from bench.cold import STARTS
from bench.figure import Figure, limited
from infra.packaging.budget import BUDGET_MB, unzipped
from infra.packaging.bundles import build_bundles
from infra.packaging.target import LAMBDA


def figures() -> list[Figure]:
    """The size of what is deployed."""
    bundles = build_bundles(LAMBDA)
    method = "bytes of all files in the code and in the layer, for arm64"
    return [
        limited(
            f"bundle of {module}, unzipped",
            unzipped(bundles.code, bundles.dependencies[start.requirements]),
            "MB",
            BUDGET_MB,
            method,
        )
        for module, start in STARTS.items()
    ]
