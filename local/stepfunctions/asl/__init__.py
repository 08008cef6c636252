"""The Amazon States Language: a definition is checked and compiled once, then only evaluated."""
