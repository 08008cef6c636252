"""`python -m local.demo`: 0 when both sagas ended as they must."""

from __future__ import annotations

import sys

from rich.console import Console

from local.assembly import SynthesisFailed
from local.aws.deployment import DeploymentFailed
from local.demo.screen import Screen
from local.demo.story import StoryWentWrong, tell
from local.machine import one_machine


def main() -> int:
    """Boot the one-machine mode, tell the story, and leave nothing running."""
    console = Console(highlight=False)
    screen = Screen(console)
    screen.chapter("One machine: AWS, Azure and Google Cloud, simulated, with skysaga deployed")
    try:
        with one_machine(screen.say) as endpoints:
            tell(endpoints, screen)
    except (SynthesisFailed, DeploymentFailed, OSError, StoryWentWrong) as error:
        console.print(f"[bold red]The demo failed:[/] {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    screen.chapter("Both ended as they must. `make up` keeps the machine running; README.md tells how to talk to it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
