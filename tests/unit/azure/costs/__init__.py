"""How Azure says what things cost."""
