"""Delivers to webhooks: the function that their queues call."""
