"""The order of creation."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.graph import find_cycle, waves


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    """Up to 12 resources in any order of mention, each depending on some that come before it in another order."""
    order = draw(st.permutations([f"r{number}" for number in range(draw(st.integers(0, 12)))]))
    graph = {node: draw(st.lists(st.sampled_from(order[:place]))) if place else [] for place, node in enumerate(order)}
    return {node: graph[node] for node in draw(st.permutations(order))}


@given(acyclic())
def test_every_resource_is_in_exactly_one_wave(graph: dict[str, list[str]]) -> None:
    assert sorted(node for wave in waves(graph) for node in wave) == sorted(graph)


@given(acyclic())
def test_each_resource_comes_in_a_later_wave_than_whatever_it_depends_on(graph: dict[str, list[str]]) -> None:
    wave_of = {node: number for number, wave in enumerate(waves(graph)) for node in wave}
    assert all(wave_of[other] < wave_of[node] for node, others in graph.items() for other in others)


@given(acyclic())
def test_no_resource_waits_longer_than_it_must(graph: dict[str, list[str]]) -> None:
    wave_of = {node: number for number, wave in enumerate(waves(graph)) for node in wave}
    for node, others in graph.items():
        assert wave_of[node] == max((wave_of[other] + 1 for other in others), default=0)


def test_within_a_wave_the_order_given_is_kept() -> None:
    assert waves({"c": [], "a": [], "b": ["a"], "0": ["c"]}) == (("c", "a"), ("b", "0"))


@given(acyclic())
def test_what_can_be_ordered_has_no_cycle(graph: dict[str, list[str]]) -> None:
    assert find_cycle(graph) == ()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=10, unique=True), acyclic())
def test_a_cycle_is_named_along_its_dependencies(ring: list[int], rest: dict[str, list[str]]) -> None:
    graph = {f"r{node}": [f"r{ring[(place + 1) % len(ring)]}"] for place, node in enumerate(ring)}
    cycle = find_cycle({f"other-{node}": [f"other-{it}" for it in others] for node, others in rest.items()} | graph)
    assert cycle[0] == cycle[-1]
    assert len(cycle) == len(ring) + 1
    assert all(later in graph[earlier] for earlier, later in pairwise(cycle))


def test_a_resource_that_depends_on_itself_is_a_cycle() -> None:
    assert find_cycle({"a": ["a"]}) == ("a", "a")
