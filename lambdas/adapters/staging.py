"""Placeholder until the format's branch is merged."""

from __future__ import annotations

from typing import Any

S3Staging: Any = None
