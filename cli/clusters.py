"""`skysaga clusters` and `skysaga drain`: private clusters, their load, what is claimed of them, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click
from rich.table import Table

from cli.endpoint import client_option
from cli.output import output_option, printable, show

if TYPE_CHECKING:
    from cli.client import ApiClient

_OLD: Final = 120
_TOO_OLD: Final = 600
_NONE: Final = "No cluster has reported yet that you may use: docs/clusters.md says how to declare one."


@click.command(short_help="Show private clusters: load, claims, reports.")
@client_option
@output_option
def clusters(client: ApiClient, output: str) -> None:
    """Show the private clusters that you may use: load, claims and the age of each report."""
    items = client.clusters()
    show(output, "clusters", {"items": items}, _table(items) if items else _NONE)


@click.command()
@click.argument("cluster")
@client_option
@output_option
@click.option("--end", is_flag=True, help="Let it take machines again.")
def drain(cluster: str, client: ApiClient, output: str, end: bool) -> None:
    """Let CLUSTER take nothing new from now on. What is there stays, and is removed as ever."""
    standing = client.drain(cluster, not end)
    claimed = standing["claimed"]
    left = f"{claimed['cpu']} vCPU, {claimed['memory_mb'] // 1024} GiB and {claimed['disk_gb']} GiB of disk are claimed"
    said = f"{cluster} takes machines again" if end else f"{cluster} takes nothing new; {left}"
    show(output, "cluster", standing, printable(said))


def _table(items: Sequence[Mapping[str, Any]]) -> Table:
    """Claimed of claimable, and what the hosts themselves say is in use."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("CLUSTER", "PROVIDER", "TARGET", "HOSTS"):
        table.add_column(heading, no_wrap=True)
    for heading in ("VCPU", "MEMORY GIB", "DISK GIB", "CPU USED", "MEMORY USED", "REPORT"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("STATE", no_wrap=True)
    for item in items:
        table.add_row(*_row(item))
    return table


def _row(item: Mapping[str, Any]) -> list[str]:
    claimed, claimable = item["claimed"], item["claimable"]
    return [
        item["name"],
        item["provider"],
        item["target"],
        f"{item['hosts']['usable']}/{item['hosts']['all']}",
        f"{claimed['cpu']}/{claimable['cpu']}",
        f"{claimed['memory_mb'] // 1024}/{claimable['memory_mb'] // 1024}",
        f"{claimed['disk_gb']}/{claimable['disk_gb']}",
        _share(item, "cpu"),
        _share(item, "memory_mb"),
        f"{item['report_age_seconds']} s ago",
        _state(item),
    ]


def _share(item: Mapping[str, Any], amount: str) -> str:
    there = item["capacity"][amount]
    return f"{100 * item['used'][amount] / there:.0f} %" if there else "-"


def _state(item: Mapping[str, Any]) -> str:
    if item["report_age_seconds"] > _TOO_OLD:
        return "silent: takes nothing"
    if item["drained"]:
        return "drained"
    if not item["hosts"]["usable"]:
        return "no usable host"
    return "report is late" if item["report_age_seconds"] > _OLD else "ok"
