"""Collecting costs every hour: the state machine's own steps, and what publishes what was collected."""
