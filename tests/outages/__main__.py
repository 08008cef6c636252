"""`python -m tests.outages`: kill parts of the infrastructure in the middle of sagas, for as many rounds as wanted.

Prints what was struck and what came of it as JSON; exit code 1 when anything was lost, doubled or left half done.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.outages.rounds import EACH, Summary, clear, run_round
from tests.outages.sagas import EVERYWHERE
from tests.outages.site import Site
from tests.outages.troubles import TROUBLES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.outages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of three kinds of saga: commit, roll back, destroy")
    parser.add_argument("--sagas", type=int, default=1, help="of each kind, at the same time")
    parser.add_argument("--trouble", choices=sorted(TROUBLES), default="everything")
    parser.add_argument("--strikes", type=int, default=60, help="in one round, after which there is peace")
    parser.add_argument("--seed", type=int, default=0, help="decides when and whom, as far as processes let it")
    parser.add_argument("--clouds", default=",".join(EVERYWHERE), help="aws is always needed; less is quicker")
    options = parser.parse_args(arguments)
    summary, began = Summary(), time.monotonic()
    with TemporaryDirectory(prefix="outages-") as folder:
        site = Site(Path(folder))
        try:
            for number in range(options.rounds):
                seed, clouds = options.seed + number, options.clouds.split(",")
                wanted, trouble = EACH * options.sagas, TROUBLES[options.trouble]
                run_round(site, trouble, summary, seed, clouds, wanted, options.strikes)
                _tell(f"round {number + 1}: {dict(summary.endings)}, {len(summary.violations)} violations")
            summary.violations += clear(site)
        finally:
            site.close()
    seconds = round(time.monotonic() - began)
    counts = {"struck": dict(summary.struck), "endings": dict(summary.endings), "gave_up": summary.gave_up}
    print(json.dumps({**counts, "violations": summary.violations, "seconds": seconds}, indent=2))
    return 1 if summary.violations else 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
