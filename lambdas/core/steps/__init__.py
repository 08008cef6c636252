"""What the states of the state machines do: each step is one call, idempotent, and seconds long."""
