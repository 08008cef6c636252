"""A list costs the simulated Compute Engine what it answers, and answers what a look at everything would."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import pytest
from google.cloud import compute_v1

from local.simulators.gcp import reading
from local.simulators.gcp.collection import Collection
from local.simulators.gcp.representations import fingerprint
from tests.unit.gcp.compute_engine import SCOPE, ComputeEngine, compute_engine

NAMES = ("one", "two")
VALUES = ("", "a", "b")
Labels = dict[str, str]


def labels(random: Random) -> Labels:
    return {name: random.choice(VALUES) for name in NAMES if random.random() < 0.7}


def replace(new: Labels, old: Labels) -> None:
    old.clear()
    old.update(new)


def changed(seed: int) -> tuple[Collection[Labels], dict[str, Labels]]:
    """Labels by path after many changes, and the same in a dict."""
    random = Random(seed)  # noqa: S311 -- reproducible on purpose, nothing secret
    collection = Collection[Labels](("labels.",), lambda it: ((f"labels.{name}", value) for name, value in it.items()))
    known: dict[str, Labels] = {}
    for _ in range(200):
        path, new = random.choice("pqrstuvw"), labels(random)
        if path in known and random.random() < 0.3:
            del collection[path], known[path]
        elif path in known and random.random() < 0.5:
            collection.change(path, partial(replace, new))
            known[path] = new
        else:
            collection[path], known[path] = dict(new), new
    return collection, known


@pytest.mark.parametrize("seed", range(20))
def test_what_has_some_values_is_found_after_any_changes(seed: int) -> None:
    collection, known = changed(seed)
    assert dict(collection) == known
    for value in VALUES:
        for name in NAMES:
            having = [(path, it) for path, it in sorted(known.items()) if it.get(name) == value]
            assert collection.having([(f"labels.{name}", value)]) == having
        both = {path for path, it in known.items() if it == dict.fromkeys(NAMES, value)}
        assert both <= dict(collection.having([(f"labels.{name}", value) for name in NAMES])).keys()


def test_all_are_looked_at_for_what_is_not_known_of_them() -> None:
    collection, known = changed(seed=1)
    assert collection.having([]) == collection.having([("status", "READY")]) == sorted(known.items())


def looked_at(monkeypatch: pytest.MonkeyPatch, others: int, expression: str, *, operations: bool = False) -> int:
    """How many resources a list represents, beside so many others, to find one."""
    with compute_engine() as cloud:
        for number in range(others):
            cloud.insert_disk(f"other-{number}", labels={"team": "payments", "number": str(number)})
        cloud.insert_disk("wanted", labels={"team": "payments", "number": "wanted"})
        represented: list[object] = []
        known = reading.Reader._represent

        def represent(reader: reading.Reader, resource: Any) -> dict[str, Any]:
            represented.append(resource)
            return known(reader, resource)

        with monkeypatch.context() as patch:
            patch.setattr(reading.Reader, "_represent", represent)
            assert len(listed(cloud, expression, operations=operations)) == 1
        return len(represented)


def listed(cloud: ComputeEngine, expression: str, *, operations: bool) -> list[str]:
    if operations:
        request = compute_v1.ListZoneOperationsRequest(filter=expression, **SCOPE)
        return [it.name for it in cloud.operations.list(request)]
    return [it.name for it in cloud.disks.list(compute_v1.ListDisksRequest(filter=expression, **SCOPE))]


BY_LABELS = '(labels.team = "payments") (labels.number = "wanted")'
BY_TARGET = f'targetLink = "https://www.googleapis.com/compute/v1/projects/shop/zones/{SCOPE["zone"]}/disks/wanted"'


def test_a_list_by_labels_looks_only_at_what_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, 30, BY_LABELS) == looked_at(monkeypatch, 0, BY_LABELS) == 1


def test_a_list_of_operations_looks_only_at_those_on_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, 30, BY_TARGET, operations=True) == 1


def test_other_filters_look_at_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(monkeypatch, 30, "name = wanted") == 31


def test_new_labels_are_found_and_old_ones_are_not() -> None:
    with compute_engine() as cloud:
        cloud.insert_disk("data", labels={"team": "payments"})
        body = compute_v1.ZoneSetLabelsRequest(
            label_fingerprint=fingerprint({"team": "payments"}), labels={"team": "search"}
        )
        cloud.disks.set_labels_unary(resource="data", zone_set_labels_request_resource=body, **SCOPE)
        assert listed(cloud, "labels.team = payments", operations=False) == []
        assert listed(cloud, "labels.team = search", operations=False) == ["data"]


def test_what_is_gone_is_not_found() -> None:
    with compute_engine() as cloud:
        cloud.insert_disk("data", labels={"team": "payments"})
        cloud.clock.advance(10)
        cloud.disks.delete_unary(disk="data", **SCOPE)
        cloud.clock.advance(10)
        assert listed(cloud, "labels.team = payments", operations=False) == []
