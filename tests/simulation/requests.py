"""The request that the simulations provision."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"


def three_clouds() -> dict[str, Any]:
    """An instance with a data disk on each of three clouds."""
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / "three-clouds.yaml").read_text())
    return document
