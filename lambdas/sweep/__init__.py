"""The steps of the sweep that look at the ledger, and decide."""
