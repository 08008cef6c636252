"""Pages whose code is run as it is written."""
