"""The web console on an operator's machine: the page, and the API behind it, signed with the operator's credentials."""
