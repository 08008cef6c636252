"""System Center Virtual Machine Manager as a provider."""
