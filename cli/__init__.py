"""What people and scripts reach skysaga with."""

__version__ = "0.1.0"
