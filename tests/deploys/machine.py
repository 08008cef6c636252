"""One machine with nothing deployed, in a process of its own, since an account's state is its process's.

    python -m tests.deploys.machine FOLDER

It says where it listens, as JSON on a line; whatever arrives on a line of its input is the URL of the API that was
deployed meanwhile, which it runs from then on and says where. The time of a gradual deployment passes three hundred
times as fast, and not at all while there is a file `hold` in the folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from local.machine import Machine, Ports

FASTER = 300


def main(folder: Path) -> None:
    """Run until the input ends."""

    def wait(seconds: float) -> None:
        while (folder / "hold").exists():
            time.sleep(0.02)
        time.sleep(seconds / FASTER)

    machine = Machine(Ports(), state=folder, wait=wait)
    try:
        say({"aws": machine.aws, "azure": machine.azure, "gcp": machine.gcp})
        for line in sys.stdin:
            say(machine.run(line.strip())._asdict())
    finally:
        machine.close()


def say(endpoints: dict[str, str]) -> None:
    """Tell whoever started this process."""
    sys.stdout.write(json.dumps(endpoints) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
