"""What Lambda does between queues and functions: event source mappings are polled, batches are handed to functions."""

from local.queues.deployed import Mapping, Message
from local.queues.polling import QueuePolling

__all__ = ["Mapping", "Message", "QueuePolling"]
