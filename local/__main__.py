"""`python -m local`: the one-machine mode in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys

from local.assembly import SynthesisFailed
from local.aws.deployment import DeploymentFailed
from local.event_pump import NotSupported
from local.machine import ENDPOINTS_FILE, Ports, one_machine
from local.stopping import on_interrupt


def main() -> int:
    """Run until interrupted or terminated; 0, or 1 when it could not be started."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    for name in Ports._fields:
        parser.add_argument(f"--{name}-port", type=int, default=0, metavar="PORT", help="a free one unless given")
    options = vars(parser.parse_args())
    await_interrupt = on_interrupt()
    ports = Ports(**{name: options[f"{name}_port"] for name in Ports._fields})
    try:
        with one_machine(_report, ports, costs=True) as endpoints:
            for name, url in endpoints._asdict().items():
                _report(f"{name:14} {url}")
            _report(f"ready; {ENDPOINTS_FILE.name} tells programs where; stop with Ctrl-C")
            await_interrupt()
    except (SynthesisFailed, DeploymentFailed, NotSupported, OSError) as error:
        _report(f"could not start: {error}")
        return 1
    return 0


def _report(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
