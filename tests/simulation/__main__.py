"""`python -m tests.simulation`: simulate sagas from seeds, exhaustively, or one seed again to the letter.

Exit code 1 when any invariant was violated; 0 otherwise.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

os.environ.update(POWERTOOLS_TRACE_DISABLED="true", POWERTOOLS_METRICS_DISABLED="true", LOG_LEVEL="CRITICAL")

from tests.simulation import exhaustive
from tests.simulation.clouds import Clouds, simulated_clouds
from tests.simulation.runs import NO_MUTATIONS, Result, run_plan, run_seed, scenario_of, shortest
from tests.simulation.summary import Summary
from tests.simulation.textbook import run_textbook
from tests.simulation.upsets import Upset

_CHUNK = 50
_TRIES = 80


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what the command line asks for."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    if options.seed is not None:
        return _replay(options.seed)
    if options.textbook:
        print(json.dumps(_textbook(options.first, options.runs or 200), indent=2))
        return 0
    if options.exhaustive:
        summary = _exhaust(options.exhaustive, options.first - 1, options.runs, options.every)
    else:
        summary = _random(options.first, options.runs or 200, options.jobs)
    document = summary.document(time.monotonic() - began)
    print(json.dumps(document, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(document, indent=2) + "\n")
    return 1 if summary.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, help="how many sagas (200; exhaustively: all there are)")
    parser.add_argument("--first", type=int, default=1, help="the first seed, or the first plan")
    parser.add_argument("--seed", type=int, help="replay this seed, and print its timeline")
    parser.add_argument("--json", help="a file for the summary")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--exhaustive", type=int, choices=(1, 2), help="every single upset, or every pair as well")
    parser.add_argument("--textbook", action="store_true", help="the textbook saga in the same trouble")
    parser.add_argument("--every", type=int, default=1, help="exhaustively: only every so many-th plan")
    return parser


def _replay(seed: int) -> int:
    """Run a seed twice, to the letter, and tell its story."""
    with simulated_clouds() as kept:
        result, again = run_seed(kept, seed), run_seed(kept, seed)
        if result.log != again.log:
            print("the two runs of this seed differ")
            return 1
        _tell(result)
        _report(kept, result)
    return 1 if result.violations else 0


def _random(first: int, runs: int, jobs: int) -> Summary:
    chunks = [(start, min(start + _CHUNK, first + runs)) for start in range(first, first + runs, _CHUNK)]
    if jobs == 1:
        return _merged(map(_run_chunk, chunks))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return _merged(pool.map(_run_chunk, chunks))


def _merged(summaries: Iterable[Summary]) -> Summary:
    total = Summary()
    for summary in summaries:
        total.merge(summary)
    return total


_kept: list[Clouds] = []
_open = ExitStack()


def _clouds_of_this_process() -> Clouds:
    """Clouds that live as long as the process: making them takes longer than many runs."""
    if not _kept:
        logging.disable(logging.CRITICAL)
        _kept.append(_open.enter_context(simulated_clouds()))
    return _kept[0]


def _run_chunk(seeds: tuple[int, int]) -> Summary:
    kept, summary = _clouds_of_this_process(), Summary()
    for seed in range(*seeds):
        result = run_seed(kept, seed)
        summary.add(result)
        _report(kept, result)
    return summary


def _textbook(first: int, runs: int) -> dict[str, object]:
    """How often the textbook saga leaks in the trouble that our own meets under the same seeds."""
    kept = _clouds_of_this_process()
    results = [run_textbook(kept, seed) for seed in range(first, first + runs)]
    leaking = [result for result in results if result.leaks]
    return {
        "runs": runs,
        "endings": dict(Counter(result.status for result in results)),
        "sagas_that_leak": len(leaking),
        "resources_leaked": sum(result.leaks for result in leaking),
    }


def _exhaust(size: int, skip: int, runs: int | None, every: int) -> Summary:
    kept, summary = _clouds_of_this_process(), Summary()
    plans = islice(exhaustive.plans(kept, size), skip, None, every)
    for plan in islice(plans, runs):
        result = run_plan(kept, exhaustive.SCENARIO, plan)
        summary.add(result)
        _complain(result, "; ".join(map(str, plan)), lambda result=result: result)  # type: ignore[misc]
    return summary


def _report(kept: Clouds, result: Result) -> None:
    """For a violation: the seed, what did not hold, the shortest reproduction that could be found and its timeline."""
    shrink = partial(shortest, kept, scenario_of(result.seed), result, NO_MUTATIONS, _TRIES)
    _complain(result, f"seed {result.seed}", shrink)


def _complain(result: Result, name: str, shrink: Callable[[], Result]) -> None:
    if not result.violations:
        return
    for violation in result.violations:
        print(f"VIOLATION {name}: {violation.invariant}: {violation.detail}", file=sys.stderr)
    reproduction = shrink()
    print(f"shortest reproduction: {_listed(reproduction.struck)}", file=sys.stderr)
    _tell(reproduction)


def _listed(upsets: Iterable[Upset]) -> str:
    return "; ".join(map(str, upsets)) or "no upset at all"


def _tell(result: Result) -> None:
    for moment, text in result.log:
        print(f"{moment:10.2f}  {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
