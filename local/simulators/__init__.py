"""Clouds that speak their real wire protocol on this machine, and fail in every way the fault model names."""
