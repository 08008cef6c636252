"""`skysaga console`: the web console of a deployment, on this machine."""

from __future__ import annotations

import secrets
import threading
import webbrowser

import click

from cli.endpoint import deployment, endpoint_options, told_plainly
from cli.failures import FAILED, Failure


@click.command()
@endpoint_options
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of this machine; a free one if left out.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
def console(endpoint: str | None, profile: str | None, region: str | None, port: int, no_browser: bool) -> None:
    """Show the web console, until Ctrl-C: sagas as they run, clusters, and costs.

    Its calls are signed with your credentials. Whoever has the address that is printed can do what you can: keep it.
    """
    from cli.console.server import ConsoleServer  # noqa: PLC0415 - completing a word does not wait for what signs
    from cli.console.upstream import Upstream  # noqa: PLC0415 - as above

    with told_plainly():
        upstream = Upstream(deployment(endpoint, profile, region))
    try:
        server = ConsoleServer(upstream, port, secrets.token_urlsafe(24))
    except OSError as error:
        raise Failure(
            f"the console cannot listen on port {port}: {error.strerror}; give another --port", FAILED
        ) from error
    with server:
        click.echo(f"The console is at {server.entrance}")
        click.echo("Stop it with Ctrl-C.")
        if not no_browser:
            webbrowser.open(server.entrance)
        _wait_for_interrupt()


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
