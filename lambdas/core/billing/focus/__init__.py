"""FOCUS 1.2 as data: its columns, what they may hold, and the rules between them.

https://focus.finops.org/focus-specification/v1-2/
"""
