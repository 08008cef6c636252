"""All mappings of streams at work."""

from __future__ import annotations

from functools import partial

from local.event_pump.errors import NotSupported
from local.event_pump.patterns import read_pattern
from local.event_pump.pump import Timeline
from local.queues.invoking import Functions
from local.queues.mappings import MappingPolling
from local.streams.deployed import Mapping, Streams
from local.streams.poller import Poller, Send


class StreamPolling(MappingPolling[Mapping]):
    """Plays the mappings that `streams` holds; `send` reaches destinations by ARN."""

    def __init__(self, timeline: Timeline, streams: Streams, functions: Functions, send: Send) -> None:
        super().__init__(timeline, streams.mappings, check, partial(Poller, timeline, streams, functions, send))


def check(mapping: Mapping) -> None:
    """Raise NotSupported for a mapping that cannot be played here, or that AWS would not take."""
    name = f"the event source mapping {mapping.stream_arn} to {mapping.function_arn}"
    if mapping.unsupported:
        raise NotSupported(f"{name}: {', '.join(mapping.unsupported)}")
    try:
        for each in mapping.filters:
            read_pattern(each)
    except (NotSupported, ValueError) as error:
        raise NotSupported(f"{name}: the filter {error}") from None
