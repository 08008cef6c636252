"""Which private cluster takes which machine: filter, weigh, choose. Pure, and quick enough to be done each time."""
