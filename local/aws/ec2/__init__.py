"""EC2 as moto serves it, corrected where it differs from AWS: client tokens, states that take time, leftovers."""
