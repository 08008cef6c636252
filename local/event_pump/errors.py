"""What the pump refuses."""

from __future__ import annotations


class NotSupported(Exception):
    """A rule, schedule or target that cannot be played here or that AWS would not take; the message names it."""
