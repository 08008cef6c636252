"""How much a function may unpack: far below the 250 MB that Lambda allows, since every cold start pays for it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

BUDGET_MB: Final = 120
_MB: Final = 2**20


class BundleTooLarge(ValueError):
    """A function's code and dependencies are over the budget; the message says whose, and by how much."""


def unzipped(*bundles: Path) -> float:
    """Return the size of all that is in some zip files, in MB."""
    total = 0
    for bundle in bundles:
        with zipfile.ZipFile(bundle) as archive:
            total += sum(entry.file_size for entry in archive.infolist())
    return total / _MB


def check_size(folder: str, code: Path, dependencies: Path, budget: float = BUDGET_MB) -> None:
    """Raise BundleTooLarge when the functions of `lambdas/<folder>` unpack more than `budget` MB."""
    size = unzipped(code, dependencies)
    if size > budget:
        raise BundleTooLarge(
            f"lambdas/{folder}: code and dependencies are {size:.0f} MB unzipped, the budget is {budget:g} MB; "
            "leave out what no function loads (infra/packaging/pruning.py)"
        )
