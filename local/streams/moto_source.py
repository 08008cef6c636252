"""Mappings and streams as deployed in moto, read in this process because an idle machine asks nobody.

The only module here that knows moto's inside (pinned; `tests/contract/moto/test_streams.py` holds it to what the APIs
say). It stands on the streams of `local/aws/stream_corrections.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import moto.backends

from local.aws.stream_corrections import TURN
from local.streams.deployed import Mapping, Record

_SERVICE: Final = ":dynamodb:"
_UNSUPPORTED = {
    "poller_config": "ProvisionedPollerConfig",
    "scaling_config": "ScalingConfig",
    "starting_position_timestamp": "StartingPositionTimestamp",
    "tumbling_window": "TumblingWindowInSeconds",
}


class MotoStreams:
    """Reads one region of the account."""

    def __init__(self, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._account = account
        self._region = region

    def mappings(self) -> Sequence[Mapping]:
        """Every event source mapping of a table's stream."""
        models = list(self._backend("lambda")._event_source_mappings.values())
        return [_mapping(it) for it in models if _SERVICE in it.event_source_arn]

    def read(self, stream_arn: str, after: int, count: int) -> Sequence[Record]:
        """At most `count` records whose sequence numbers are above `after`, in order."""
        with TURN:
            shard = self._shard(stream_arn)
            return [] if shard is None else [_told(it) for it in shard.get(after + 1, count)]

    def last(self, stream_arn: str) -> int:
        """The sequence number of the newest record; below those of all to come where there is none yet."""
        with TURN:
            shard = self._shard(stream_arn)
            return 0 if shard is None else shard.starting_sequence_number + len(shard.items) - 1

    def _shard(self, stream_arn: str) -> Any:
        name, _, label = stream_arn.partition("/")[2].partition("/stream/")
        table = self._backend("dynamodb").tables.get(name)
        return table.stream_shard if table is not None and table.latest_stream_label == label else None

    def _backend(self, service: str) -> Any:
        return moto.backends.get_backend(service)[self._account][self._region]


def _mapping(model: Any) -> Mapping:
    destination = ((model.destination_config or {}).get("OnFailure") or {}).get("Destination")
    parallel = int(model.parallelization_factor or 1) > 1
    named = [name for attribute, name in _UNSUPPORTED.items() if getattr(model, attribute)]
    return Mapping(
        id=model.uuid,
        stream_arn=model.event_source_arn,
        function_arn=model.function_arn,
        enabled=bool(model.enabled),
        batch_size=int(model.batch_size),
        window=float(model.max_batch_window or 0),
        from_the_beginning=model.starting_position != "LATEST",
        filters=tuple(it["Pattern"] for it in (model.filter_criteria or {}).get("Filters", ())),
        retries=_bound(model.max_retry_attempts),
        oldest=_bound(model.max_record_age),
        bisects=bool(model.bisect_on_error),
        reports_item_failures="ReportBatchItemFailures" in (model.function_response_types or ()),
        destination=destination,
        unsupported=(*named, *(["ParallelizationFactor"] if parallel else [])),
    )


def _bound(value: Any) -> int | None:
    """What is deployed as -1, or not at all, has no bound."""
    return None if value is None or int(value) < 0 else int(value)


def _told(record: dict[str, Any]) -> Record:
    change = record["dynamodb"]
    at = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": {**change, "ApproximateCreationDateTime": at}}
