"""What the stacks are wired from."""
