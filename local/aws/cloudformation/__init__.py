"""CloudFormation that can be trusted: what it reports is there, and what it cannot make it refuses by name."""
