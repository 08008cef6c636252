"""What cannot be played on one machine."""

from __future__ import annotations


class NotSupported(Exception):
    """A rule, schedule, target or event source mapping that cannot be played here or that AWS would not take.

    The message names it.
    """
