"""Hand-written stand-ins for the core's ports, under the same file names; each is real enough to fail."""
