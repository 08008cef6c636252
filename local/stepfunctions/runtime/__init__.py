"""Running executions: one input at a time is applied, everything that follows from it follows at once."""
