"""`skysaga`, the command: `python -m cli` runs the same."""

from __future__ import annotations

import click

from cli.clusters import clusters, drain
from cli.console.command import console
from cli.costs import costs
from cli.saga import get
from cli.worker import worker


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """All-or-nothing provisioning over several clouds and private clusters."""


main.add_command(clusters)
main.add_command(console)
main.add_command(costs)
main.add_command(drain)
main.add_command(get)
main.add_command(worker)

if __name__ == "__main__":
    main(prog_name="skysaga")
