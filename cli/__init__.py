"""What people and scripts reach skysaga with."""
