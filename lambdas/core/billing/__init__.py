"""What things cost: sources, windows and what they hold, in the terms of FOCUS 1.2 (https://focus.finops.org)."""
