"""`python -m tests.simulation`: simulate sagas from seeds, exhaustively, or one seed again to the letter.

Exit code 1 when any invariant was violated; 0 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # before Powertools is imported, and never for the tests that import this module
    os.environ.update(POWERTOOLS_TRACE_DISABLED="true", POWERTOOLS_METRICS_DISABLED="true", LOG_LEVEL="CRITICAL")

from tests.fakes.divided import everything_divided
from tests.simulation.batches import (
    Share,
    clouds_of_this_process,
    every_plan,
    random_sagas,
    report,
    tell,
    textbook_sagas,
)
from tests.simulation.exhaustive import SUBJECTS
from tests.simulation.runs import run_seed

_RUNS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what the command line asks for."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.divided:
        return _simulate(options)
    if options.jobs > 1:
        parser.error("--divided is for one process: leave --jobs out")
    with everything_divided():
        return _simulate(options)


def _simulate(options: argparse.Namespace) -> int:
    began = time.monotonic()
    if options.seed is not None:
        return _replay(options.seed)
    if options.textbook:
        print(json.dumps(textbook_sagas(options.first, options.runs or _RUNS), indent=2))
        return 0
    if options.exhaustive:
        share = Share(options.saga, options.exhaustive, options.first - 1, options.every, options.runs)
        summary = every_plan(share, options.jobs)
    else:
        summary = random_sagas(options.first, options.runs or _RUNS, options.jobs)
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
    parser.add_argument("--saga", choices=list(SUBJECTS), default="three-clouds", help="exhaustively: of which saga")
    parser.add_argument("--every", type=int, default=1, help="exhaustively: only every so many-th plan")
    parser.add_argument("--divided", action="store_true", help="divide every saga as only large ones are; one process")
    parser.add_argument("--textbook", action="store_true", help="the textbook saga in the same trouble")
    return parser


def _replay(seed: int) -> int:
    """Run a seed twice, to the letter, and tell its story."""
    kept = clouds_of_this_process()
    result, again = run_seed(kept, seed), run_seed(kept, seed)
    if result.log != again.log:
        print("the two runs of this seed differ", file=sys.stderr)
        return 1
    tell(result)
    report(kept, result)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
