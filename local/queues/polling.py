"""All mappings of queues at work."""

from __future__ import annotations

from functools import partial

from local.event_pump.errors import NotSupported
from local.event_pump.pump import Timeline
from local.queues.deployed import Mapping, Queues
from local.queues.invoking import Functions
from local.queues.mappings import MappingPolling
from local.queues.poller import Poller


class QueuePolling(MappingPolling[Mapping]):
    """Plays the mappings that `queues` holds: besides when it is woken, when a hidden message comes into sight."""

    def __init__(self, timeline: Timeline, queues: Queues, functions: Functions) -> None:
        super().__init__(timeline, queues.mappings, check, partial(Poller, timeline, queues, functions))


def check(mapping: Mapping) -> None:
    """Raise NotSupported for a mapping that cannot be played here, or that AWS would not take."""
    name = f"the event source mapping {mapping.queue_arn} to {mapping.function_arn}"
    if mapping.queue_arn.split(":")[2] != "sqs" or mapping.queue_arn.endswith(".fifo"):
        raise NotSupported(f"{name}: only standard queues are polled here")
    if mapping.unsupported:
        raise NotSupported(f"{name}: {', '.join(mapping.unsupported)}")
    if mapping.batch_size > 10 and mapping.window < 1:
        raise NotSupported(f"{name}: more than 10 messages a batch need a batching window of at least a second")
