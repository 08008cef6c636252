"""What Lambda does between a table's stream and functions: records are read in order and handed on in batches."""

from local.streams.deployed import Mapping
from local.streams.polling import StreamPolling

__all__ = ["Mapping", "StreamPolling"]
