"""Placement: which private cluster takes which machine."""
