"""ItemBatcher: a Distributed Map's items put together in batches."""

from __future__ import annotations

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import BatcherSpec
from local.stepfunctions.jsontext import MAX_PAYLOAD_BYTES, Json, dumps


def make_batches(
    items: list[Json], spec: BatcherSpec, document: Json, environment: Environment
) -> list[dict[str, Json]]:
    """`{"BatchInput": ..., "Items": [...]}` for each batch, within the limits on items and on bytes of input."""
    shared = {} if spec.batch_input is None else {"BatchInput": spec.batch_input(document, environment)}
    most_items = int(spec.max_items(document, environment)) if spec.max_items else 0
    most_bytes = int(spec.max_bytes(document, environment)) if spec.max_bytes else 0
    most_bytes = min(most_bytes or MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES)
    empty = len(dumps({**shared, "Items": []}).encode())
    batches: list[list[Json]] = []
    size = 0
    for item in items:
        length = len(dumps(item).encode()) + 1
        full = batches and (len(batches[-1]) == most_items or size + length > most_bytes)
        if not batches or full:
            batches.append([])
            size = empty
        batches[-1].append(item)
        size += length
    return [{**shared, "Items": batch} for batch in batches]
