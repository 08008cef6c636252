"""`skysaga`, the command: `python -m cli` runs the same."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from cli import __version__
from cli.failures import told_plainly

_VERBS: Final = {
    "apply": "cli.apply:apply",
    "approve": "cli.orders:approve",
    "cancel": "cli.orders:cancel",
    "clusters": "cli.clusters:clusters",
    "completion": "cli.completion:completion",
    "console": "cli.console.command:console",
    "costs": "cli.costs:costs",
    "destroy": "cli.orders:destroy",
    "doctor": "cli.doctor:doctor",
    "drain": "cli.clusters:drain",
    "events": "cli.watch:events",
    "get": "cli.sagas:get",
    "list": "cli.sagas:list_sagas",
    "plan": "cli.plan:plan",
    "resume": "cli.orders:resume",
    "sweep": "cli.sweep:sweep",
    "up": "cli.up:up",
    "watch": "cli.watch:watch",
    "worker": "cli.worker:worker",
}
"""Where each verb is. It is loaded when it is needed, so that completing a word does not take a second."""


class Verbs(click.Group):
    """The verbs, and one way for all of them to say what went wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the verbs."""
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A verb by its name."""
        if cmd_name not in _VERBS:
            return None
        module, _, attribute = _VERBS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb."""
        with told_plainly():
            return super().invoke(ctx)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, message="skysaga %(version)s")
def main() -> None:
    """All-or-nothing provisioning over several clouds and private clusters.

    Talks to the deployment at --endpoint or SKYSAGA_ENDPOINT, or to the local mode that runs in this folder.

    Exits with 0 when it is done; 1 when it failed, rolled back included; 2 when the command or its input is wrong;
    3 when a saga needs attention; 4 when the endpoint cannot be reached; 5 when the deadline has passed; 130 when
    interrupted.
    """


if __name__ == "__main__":
    main(prog_name="skysaga")
