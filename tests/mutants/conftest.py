"""The clouds that mutants are let loose on."""

from tests.simulation.conftest import kept

__all__ = ["kept"]
