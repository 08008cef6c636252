"""Spin's own tests are there where Spin and a C compiler are; the same model is checked without them as well."""

from __future__ import annotations

import shutil

collect_ignore = [] if shutil.which("spin") and shutil.which("gcc") else ["test_spin.py"]
