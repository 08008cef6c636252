"""What a Task state can call, one module per kind of service."""
