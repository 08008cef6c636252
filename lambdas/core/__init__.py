"""The saga itself, pure: no SDK, no AWS service, no clock of its own."""
