"""Completing what is typed: `skysaga completion`, and the ids of sagas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
from click.shell_completion import CompletionItem, get_completion_class

COMMAND: Final = "skysaga"
_VARIABLE: Final = "_SKYSAGA_COMPLETE"
_SHELLS: Final = ("bash", "zsh", "fish")
_NEWEST: Final = 50
_PATIENCE_SECONDS: Final = 2.0


@click.command(short_help="Write the completion script of a shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Write the script that completes this command in SHELL: verbs, options, statuses and the ids of sagas.

    In bash: eval "$(skysaga completion bash)"; in zsh the same with zsh; in fish: skysaga completion fish | source.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"nothing is known of {shell}")
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, COMMAND, _VARIABLE).source())


def complete_sagas(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest sagas whose id begins so; none where that cannot be found out quickly."""
    try:
        return [CompletionItem(it["id"], help=_about(it)) for it in _newest(context) if it["id"].startswith(incomplete)]
    except Exception:
        return []


def _newest(context: click.Context) -> Sequence[Mapping[str, Any]]:
    from cli.endpoint import api_client  # noqa: PLC0415 - loads what the other verbs need not have to complete

    given = context.params
    client = api_client(given.get("endpoint"), given.get("profile"), given.get("region"), _PATIENCE_SECONDS)
    return client.sagas(limit=_NEWEST)["items"]


def _about(saga: Mapping[str, Any]) -> str:
    return f"{saga['name']} {saga['status']}"
