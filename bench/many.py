"""Many sagas at once on our engine, and the same saga with the same no-op activities on its peers, side by side.

Every engine runs in processes of its own, started before anything is measured; then they take turns at each number of
sagas, ROUNDS times, so that a busy moment of the machine strikes all of them. Peers are installed when they are first
asked for, which takes a minute or two once. PEERS in the environment names those to measure, separated by commas;
unset, all of them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from bench.figure import Figure, Pair, cheaper, faster, plain
from bench.peers.aws_durable import AwsDurable
from bench.peers.aws_local_stepfunctions import AwsLocalStepfunctions
from bench.peers.dbos import Dbos
from bench.peers.environments import NotInstalled
from bench.peers.moto import Moto
from bench.peers.peer import Peer
from bench.peers.restate import Restate
from bench.peers.running import EngineFailed, Load, Running
from bench.peers.skysaga import JOURNAL, MEMORY, SYNCED, Skysaga
from bench.peers.temporal import Temporal

OURS: Peer = Skysaga()
# The one whose lead is least comes right after ours: a core's speed changes from one second to another.
PEERS: tuple[Peer, ...] = (AwsLocalStepfunctions(), Restate(), Temporal(), Dbos(), AwsDurable(), Moto())
ROUNDS = 7
AT_ONCE = (1, 16, 64, 256)
# How many sagas a round has at most; fewer where they take longer than a turn. Many short turns, for the same reason.
SAGAS = {1: 120, 16: 192, 64: 320, 256: 512}
TURN_SECONDS = 1.5
KILLED = 16
SLOW = 0.2
FAIL = "gcp"


@dataclass
class Measured:
    """One engine in one variant: its loads by how many sagas were at once and by round, its memory when all had run."""

    peer: Peer
    variant: str
    loads: dict[int, dict[int, Load]] = field(default_factory=lambda: {at_once: {} for at_once in AT_ONCE})
    rolled_back: list[Load] = field(default_factory=list)
    megabytes: float = 0.0
    sagas: int = 0
    last: float = 0.0
    """Sagas per second."""

    @property
    def label(self) -> str:
        """The engine's name, with its variant where it has several."""
        return self.peer.name if len(self.peer.variants) == 1 else f"{self.peer.name}, {self.variant}"

    def per_second(self, at_once: int) -> float:
        """The median of the rounds."""
        return median(load.per_second for load in self.loads[at_once].values())

    def percentile(self, at_once: int, percent: float) -> float:
        """Milliseconds; the median of the rounds."""
        return median(load.percentile(percent) for load in self.loads[at_once].values())

    def begin_round(self, engine: Running) -> None:
        """Roll a few sagas back, and see how many a turn can have."""
        self.rolled_back.append(engine.run(5, 1, FAIL))
        self.last = engine.run(5, 1).per_second

    def take_turn(self, engine: Running, number: int, at_once: int) -> None:
        """Run a round's sagas, so many at once: fewer of them, or in one round only, where they would take long."""
        affordable = int(self.last * TURN_SECONDS)
        count = max(at_once, min(SAGAS[at_once], affordable))
        if self.loads[at_once] and count > 2 * affordable:
            return
        load = engine.run(count, at_once)
        self.loads[at_once][number] = load
        self.last = load.per_second
        self.sagas += count

    def beside(self, peer: Measured, at_once: int, measure: Callable[[Load], float]) -> list[Pair]:
        """A measure of ours and the peer's, for each round that both took part in."""
        ours, theirs = self.loads[at_once], peer.loads[at_once]
        return [(measure(ours[number]), measure(theirs[number])) for number in ours if number in theirs]


def chosen() -> list[Peer]:
    """The peers to measure."""
    names = os.environ.get("PEERS")
    return [peer for peer in PEERS if names is None or peer.name in names.split(",")]


@contextmanager
def directory() -> Iterator[Path]:
    """Where an engine keeps what it keeps, gone afterwards; on a disk, since /tmp may be memory."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_scratch(), ignore_cleanup_errors=True) as path:
        yield Path(path)


def _scratch() -> Path:
    scratch = Path(__file__).resolve().parents[1] / ".local"
    scratch.mkdir(exist_ok=True)
    return scratch


def measure(peers: list[Peer]) -> tuple[list[Measured], dict[str, str]]:
    """Every variant of ours and of the peers, measured in turns, and why a peer could not be."""
    missing: dict[str, str] = {}
    at_work: list[tuple[Measured, Running]] = []
    with ExitStack() as stack:
        for peer in (OURS, *peers):
            try:
                peer.install()
                for variant in peer.variants:
                    place = stack.enter_context(directory())
                    engine = stack.enter_context(peer.start(place, variant))
                    at_work.append((Measured(peer, variant), engine))
            except (NotInstalled, EngineFailed, OSError) as error:
                missing[peer.name] = str(error)
        for number in range(ROUNDS):
            _take_turns(at_work, missing, Measured.begin_round)
            for at_once in AT_ONCE:
                _take_turns(at_work, missing, partial(Measured.take_turn, number=number, at_once=at_once))
        for measured, engine in at_work:
            measured.megabytes = engine.megabytes()
    return [measured for measured, _ in at_work], missing


def _take_turns(
    at_work: list[tuple[Measured, Running]], missing: dict[str, str], turn: Callable[[Measured, Running], None]
) -> None:
    for measured, engine in list(at_work):
        try:
            turn(measured, engine)
        except EngineFailed as error:
            missing[measured.label] = str(error)
            at_work.remove((measured, engine))


def resumed(peer: Peer, variant: str) -> tuple[int, float]:
    """How many of KILLED sagas are committed after everything was killed in their middle, and how long that took."""
    sagas = [f"killed{number}" for number in range(KILLED)]
    with directory() as place:
        with peer.start(place, variant, SLOW) as engine:
            engine.begin(sagas)
            time.sleep(1.5 * SLOW)  # in the midst of the first polls and the second ones
        began = time.monotonic()
        with peer.start(place, variant, SLOW) as engine:
            try:
                return engine.finish(sagas), time.monotonic() - began
            except EngineFailed as error:
                print(f"{peer.name}, {variant}: {error}", file=sys.stderr)
                return 0, time.monotonic() - began


def _survivors(peers: list[Peer], missing: dict[str, str]) -> Iterator[tuple[str, int, float]]:
    """Ours and every durable peer by name, how many sagas it resumed of KILLED, and in how many seconds."""
    yield (f"{OURS.name}, {JOURNAL}", *resumed(OURS, JOURNAL))
    for peer in peers:
        if peer.durable is None or peer.name in missing:
            continue
        try:
            yield (peer.name, *resumed(peer, peer.variants[0]))
        except EngineFailed as error:
            missing[f"{peer.name}, resuming"] = str(error)


HOW = (
    "the saga of bench/peers/definition.py, 13 no-op activities, on this machine; the median of "
    f"{ROUNDS} rounds in which all engines take turns at each number, one for what takes an engine long"
)


def of_ours(ours: Measured) -> list[Figure]:
    """Our own figures in one variant."""
    label = f"many sagas, {ours.variant}"
    figures = []
    for at_once in AT_ONCE:
        name = f"{label}, {at_once} at once"
        figures += [
            plain(f"{name}: throughput", ours.per_second(at_once), "1/s", HOW),
            plain(f"{name}: p50", ours.percentile(at_once, 50), "ms", HOW, 2),
            plain(f"{name}: p99", ours.percentile(at_once, 99), "ms", HOW, 2),
        ]
    rolled_back = median(load.percentile(50) for load in ours.rolled_back)
    return [
        *figures,
        plain(f"{label}: p50 of a roll-back", rolled_back, "ms", HOW, 2),
        plain(f"{label}: memory after {ours.sagas:,}", ours.megabytes, "MB", "proportional set size of the process"),
    ]


def beside(ours: Measured, peer: Measured) -> list[Figure]:
    """Ours beside one peer: latency one at a time, throughput at each number at once, memory."""
    name = f"many sagas, {ours.variant}, beside {peer.label}"
    kept = peer.peer.durable or "nothing, it forgets"
    how = f"{HOW}; on its disk: {kept}"
    figures = [
        cheaper(
            f"{name}: p50 one at a time",
            ours.beside(peer, 1, lambda load: load.percentile(50)),
            "ms",
            peer.label,
            1,
            f"{how}; beside it p99 {ours.percentile(1, 99):.1f} and {peer.percentile(1, 99):.1f} ms",
            2,
        )
    ]
    figures += [
        faster(
            f"{name}: {at_once} at once",
            ours.beside(peer, at_once, lambda load: load.per_second),
            "1/s",
            peer.label,
            1,
            f"{how}; beside it p50 {ours.percentile(at_once, 50):.0f} and {peer.percentile(at_once, 50):.0f} ms, "
            f"p99 {ours.percentile(at_once, 99):.0f} and {peer.percentile(at_once, 99):.0f} ms",
        )
        for at_once in AT_ONCE
    ]
    memory = (
        f"proportional set size, its server and workers included, after {ours.sagas:,} and {peer.sagas:,} sagas; ours "
        "still shows them all"
    )
    ratio = round(peer.megabytes / ours.megabytes, 2) if ours.megabytes else None
    figures.append(
        Figure(
            name=f"{name}: memory",
            value=round(ours.megabytes, 1),
            unit="MB",
            goal=None,
            met=None,
            peer={peer.label: round(peer.megabytes, 1)},
            ratio=ratio,
            method=memory,
        )
    )
    return figures


def survival(label: str, count: int, seconds: float) -> Figure:
    """How many sagas were resumed; all of ours have to be, a peer's are only told."""
    ours = label.startswith(OURS.name)
    return Figure(
        name=f"many sagas, resumed after SIGKILL: {label}",
        value=count,
        unit="sagas",
        goal=f"all {KILLED}" if ours else None,
        met=count == KILLED if ours else None,
        peer=None,
        ratio=None,
        method=f"{KILLED} sagas are in their polls of {SLOW} s when every process is killed; {seconds:.1f} s from the "
        "restart, that included, until the last one is committed",
    )


def absent(label: str, reason: str) -> Figure:
    """A peer that could not be measured, and why."""
    return plain(f"many sagas, not measured: {label}", 0, "", reason)


def figures() -> list[Figure]:
    """Every figure with its goal."""
    peers = chosen()
    measured, missing = measure(peers)
    survived = [survival(*it) for it in _survivors(peers, missing)]
    ours = {it.variant: it for it in measured if it.peer is OURS}
    others = [it for it in measured if it.peer is not OURS]
    found = [figure for variant in ours.values() for figure in of_ours(variant)]
    for other in others:
        found += beside(ours[MEMORY] if other.peer.durable is None else ours[SYNCED], other)
    return found + survived + [absent(label, reason) for label, reason in missing.items()]
