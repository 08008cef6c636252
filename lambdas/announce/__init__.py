"""Tells others what is written to the ledger: the function that its stream calls."""
