"""The checker finds what there is to find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.model.checker import Kind, Move, System, Trace, Verdict, check

Edges = Mapping[int, Sequence[tuple[int, Kind]]]
GO = Kind.PROGRESS


def checked(edges: Edges, wrong: int | None = None, ended: Sequence[int] = (), clean: Sequence[int] = ()) -> Verdict:
    """The verdict on a graph that begins at 0; a move is called by where it goes."""

    def moves(state: int) -> Iterator[Move[int]]:
        return (Move(f"to {after}", kind, after) for after, kind in edges.get(state, ()))

    return check(
        System(
            0,
            moves,
            lambda state: "wrong" if state == wrong else None,
            lambda state: state in ended,
            lambda state: state in (clean or ended),
        )
    )


def test_a_system_that_does_what_it_should_is_explored_whole() -> None:
    diamond = {0: [(1, GO), (2, GO)], 1: [(3, GO)], 2: [(3, GO)]}
    assert checked(diamond, ended=[3]) == Verdict(states=4, moves=4, trace=None, longest=2)


def test_the_way_to_a_wrong_state_is_the_shortest() -> None:
    edges = {0: [(1, GO), (2, GO)], 1: [(4, GO)], 2: [(3, GO)], 3: [(9, GO)], 4: [(5, GO)], 5: [(9, GO)]}
    assert checked(edges, wrong=9, ended=[9]).trace == Trace("wrong", ("to 2", "to 3", "to 9"))


def test_a_fault_leads_to_a_wrong_state_like_anything_else() -> None:
    assert checked({0: [(1, GO), (2, Kind.FAULT)]}, wrong=2, ended=[1]).trace == Trace("wrong", ("to 2",))


def test_a_run_must_not_stop_where_only_a_fault_would_take_it_on() -> None:
    edges = {0: [(1, GO)], 1: [(2, Kind.FAULT)]}
    assert checked(edges, ended=[2]).trace == Trace("stops without an ending", ("to 1",))


def test_a_run_must_not_go_round_in_circles() -> None:
    edges = {0: [(1, GO)], 1: [(2, GO), (3, GO)], 2: [(1, GO)]}
    trace = checked(edges, ended=[3]).trace
    assert trace is not None
    assert trace.problem == "goes on for ever without a fault"


def test_faults_may_go_round_in_circles() -> None:
    assert checked({0: [(1, GO)], 1: [(0, Kind.FAULT), (2, GO)]}, ended=[2]).trace is None


def test_time_that_changes_nothing_is_no_circle() -> None:
    assert checked({0: [(0, GO), (1, GO)]}, ended=[1]).trace is None


def test_an_ending_from_which_nobody_can_bring_about_a_clean_one_is_found() -> None:
    edges = {0: [(1, GO), (2, GO)], 1: [(3, Kind.PERSON)], 2: [(3, Kind.FAULT)]}
    assert checked(edges, ended=[1, 2, 3], clean=[3]).trace == Trace("cannot end well any more", ("to 2",))
