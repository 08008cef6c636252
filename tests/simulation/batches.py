"""Many runs in one process or in several, and what is told of a violation."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

from tests.simulation import exhaustive
from tests.simulation.clouds import Clouds, simulated_clouds
from tests.simulation.runs import NO_MUTATIONS, Result, run_plan, run_seed, scenario_of, shortest
from tests.simulation.summary import Summary
from tests.simulation.textbook import run_textbook
from tests.simulation.upsets import Upset

T = TypeVar("T")

_CHUNK = 50
_TRIES = 80

_kept: list[Clouds] = []
_open = ExitStack()


def clouds_of_this_process() -> Clouds:
    """Clouds that live as long as the process: making them takes longer than many runs."""
    if not _kept:
        logging.disable(logging.CRITICAL)
        _kept.append(_open.enter_context(simulated_clouds()))
    return _kept[0]


def let_clouds_go() -> None:
    """End what `clouds_of_this_process` began, for a process that goes on to something else."""
    _kept.clear()
    _open.close()
    logging.disable(logging.NOTSET)


def random_sagas(first: int, runs: int, jobs: int) -> Summary:
    """Sagas from so many seeds, in so many processes."""
    chunks = [(start, min(start + _CHUNK, first + runs)) for start in range(first, first + runs, _CHUNK)]
    return _all_of(run_chunk, chunks, jobs)


def run_chunk(seeds: tuple[int, int]) -> Summary:
    """The seeds from the first up to, and without, the second."""
    kept, summary = clouds_of_this_process(), Summary()
    for seed in range(*seeds):
        result = run_seed(kept, seed)
        summary.add(result)
        report(kept, result)
    return summary


class Share(NamedTuple):
    """The exhaustive plans of a subject from the first on, every so many-th, at most `runs` of them."""

    subject: str
    size: int
    first: int
    every: int
    runs: int | None


def every_plan(share: Share, jobs: int) -> Summary:
    """All plans of a share, in so many processes."""
    runs = [None if share.runs is None else len(range(job, share.runs, jobs)) for job in range(jobs)]
    shares = [
        share._replace(first=share.first + job * share.every, every=share.every * jobs, runs=runs[job])
        for job in range(jobs)
    ]
    return _all_of(run_share, shares, jobs)


def run_share(share: Share) -> Summary:
    """All plans of a share, in this process."""
    kept, summary = clouds_of_this_process(), Summary()
    subject = exhaustive.SUBJECTS[share.subject]
    plans = islice(exhaustive.plans(kept, share.size, subject), share.first, None, share.every)
    for plan in islice(plans, share.runs):
        result = run_plan(kept, subject.scenario, plan)
        summary.add(result)
        _complain(result, listed(plan), partial(_itself, result))
    return summary


def textbook_sagas(first: int, runs: int) -> dict[str, object]:
    """How often the textbook saga leaks in the trouble that our own meets under the same seeds."""
    kept = clouds_of_this_process()
    results = [run_textbook(kept, seed) for seed in range(first, first + runs)]
    leaking = [result for result in results if result.leaks]
    return {
        "runs": runs,
        "endings": dict(Counter(result.status for result in results)),
        "sagas_that_leak": len(leaking),
        "resources_leaked": sum(result.leaks for result in leaking),
    }


def report(kept: Clouds, result: Result) -> None:
    """For a violation: the seed, what did not hold, the shortest reproduction that could be found and its timeline."""
    shrink = partial(shortest, kept, scenario_of(result.seed), result, NO_MUTATIONS, _TRIES)
    _complain(result, f"seed {result.seed}", shrink)


def tell(result: Result) -> None:
    """The timeline, in virtual seconds."""
    for moment, text in result.log:
        print(f"{moment:10.2f}  {text}", file=sys.stderr)


def listed(upsets: Iterable[Upset]) -> str:
    """Upsets in one line."""
    return "; ".join(map(str, upsets)) or "no upset at all"


def _all_of(run: Callable[[T], Summary], parts: Iterable[T], jobs: int) -> Summary:
    if jobs == 1:
        return _merged(map(run, parts))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return _merged(pool.map(run, parts))


def _merged(summaries: Iterable[Summary]) -> Summary:
    total = Summary()
    for summary in summaries:
        total.merge(summary)
    return total


def _complain(result: Result, name: str, shrink: Callable[[], Result]) -> None:
    if not result.violations:
        return
    for violation in result.violations:
        print(f"VIOLATION {name}: {violation.invariant}: {violation.detail}", file=sys.stderr)
    reproduction = shrink()
    print(f"shortest reproduction: {listed(reproduction.struck)}", file=sys.stderr)
    tell(reproduction)


def _itself(result: Result) -> Result:
    return result
