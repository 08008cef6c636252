"""What runs in the engines' own environments."""
