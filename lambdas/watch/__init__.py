"""Watching over what private clusters report."""
