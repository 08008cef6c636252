"""Why a cluster cannot take a machine: of all that stands against it, the first in a fixed order.

What the request itself chose comes first, then whether the cluster takes anything, then whether this fits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from lambdas.core.clusters import Amounts
from lambdas.core.placement.board import Cluster
from lambdas.core.placement.needs import Need

OLDEST_REPORT: Final = 600.0
"""Seconds after which a report says too little of the present: ten that did not come, one a minute."""

_AHEAD: Final = 120.0  # seconds by which a reporter's clock may be ahead; more, and its reports would never get old
_QUOTED: Final = 60
_LONGEST_AGE: Final = 86_400


class Reason(NamedTuple):
    """Why not: a `text` that is the same for every cluster of which it holds, and the `detail` of this one.

    `elsewhere`: the cluster is of another provider or target, so it is none of the caller's business.
    """

    text: str
    detail: str = ""
    elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.text} ({self.detail})" if self.detail else self.text


TAKEN: Final = Reason("somebody else was faster to claim what was left of it; try again")
"""Why a cluster that was chosen did not take the machine after all."""


Check = Callable[[Need, Cluster], Reason | None]


class Filter:
    """What one need asks of every cluster."""

    def __init__(self, need: Need, oldest_report: float = OLDEST_REPORT) -> None:
        self._need = need
        self._oldest = oldest_report
        self._of_claims = _applicable(_OF_CLAIMS, need)
        self._of_reports = _applicable(_OF_REPORTS, need)

    def refuses(self, cluster: Cluster, age: float) -> Reason | None:
        """Why the cluster, whose report is `age` seconds old, cannot take the machine; None when it can."""
        need = self._need
        for check in self._of_claims:
            reason = check(need, cluster)
            if reason is not None:
                return reason
        if not -_AHEAD <= age <= self._oldest:
            return _untimely(age, self._oldest)
        for check in self._of_reports:
            reason = check(need, cluster)
            if reason is not None:
                return reason
        return None


def _untimely(age: float, oldest: float) -> Reason:
    if age < 0:
        return Reason("its reports are dated in the future; an operator should set its worker's clock")
    minutes = f"for {age / 60:.0f} min" if age < _LONGEST_AGE else "for more than a day"
    return Reason(
        f"has not reported for more than {oldest / 60:.0f} min; an operator should look at its worker", minutes
    )


def _elsewhere(need: Need, cluster: Cluster) -> Reason | None:
    settings = cluster.facts.settings
    if settings.provider != need.provider:
        return Reason(f"is not of {need.provider}", settings.provider, elsewhere=True)
    if settings.target != need.target:
        return Reason(f"is not of the target {need.target!r}", settings.target, elsewhere=True)
    return None


def _apart(need: Need, cluster: Cluster) -> Reason | None:
    if need.near == cluster.name:
        return None
    return Reason(f"the machine that it is to be near is on {need.near}; leave `near` out, or ask for what fits there")


def _unlabelled(need: Need, cluster: Cluster) -> Reason | None:
    there = cluster.facts.settings.labels
    for name, value in need.labels.items():
        if there.get(name) != value:
            other = f"{name}={there[name]}" if name in there else ""
            return Reason(f"has not the label {name}={value}; ask for another, or have it declared", other)
    return None


def _refused_before(need: Need, cluster: Cluster) -> Reason | None:
    if cluster.name not in need.excluded:
        return None
    return Reason("had no room for this machine when it was tried; an operator can see why in its events")


def _drained(_: Need, cluster: Cluster) -> Reason | None:
    return Reason("is drained and takes nothing new until an operator ends that") if cluster.drained else None


def _hostless(_: Need, cluster: Cluster) -> Reason | None:
    if cluster.facts.hosts:
        return None
    return Reason("has no usable host: all are in maintenance or disconnected")


def _without_image(need: Need, cluster: Cluster) -> Reason | None:
    if need.image in cluster.facts.images:
        return None
    return Reason(f"has no image {_quoted(need.image)}; check the template's name, or have it brought there")


def _without_network(need: Need, cluster: Cluster) -> Reason | None:
    network = need.network or cluster.facts.settings.network
    if not network or network in cluster.facts.networks:
        return None
    if need.network:
        return Reason(f"has no network {_quoted(network)}; check its name, or leave it out for the cluster's own")
    return Reason("its own network is not there; name another, or have its settings changed", _quoted(network))


def _grouped(need: Need, cluster: Cluster) -> Reason | None:
    if need.group not in cluster.groups:
        return None
    return Reason("has a machine of the same anti_affinity group; use fewer in it, or add a cluster")


def _narrow_hosts(need: Need, cluster: Cluster) -> Reason | None:
    wanted = need.amounts
    for room in cluster.facts.hosts:
        if room.cpu >= wanted.cpu and room.memory_mb >= wanted.memory_mb:
            return None
    return _no_host(wanted, cluster)


def _narrow_datastores(need: Need, cluster: Cluster) -> Reason | None:
    wanted, room = need.amounts.disk_gb, cluster.facts.datastore_gb
    if room >= wanted:
        return None
    return Reason(f"no single datastore has {wanted} GiB free; ask for a smaller disk", f"at most {max(0, room)} GiB")


def _claimed(need: Need, cluster: Cluster) -> Reason | None:
    wanted = need.amounts
    if wanted.cpu > cluster.cpu_left:
        return _too_little(f"{wanted.cpu} processors", str(max(0, cluster.cpu_left)))
    if wanted.memory_mb > cluster.memory_left:
        return _too_little(f"{_gib(wanted.memory_mb)} of memory", _gib(cluster.memory_left))
    if wanted.disk_gb > cluster.disk_left:
        return _too_little(f"{wanted.disk_gb} GiB of disk", f"{max(0, cluster.disk_left)} GiB")
    return None


# what holds whatever its report says
_OF_CLAIMS: Final[tuple[Check, ...]] = (_elsewhere, _apart, _unlabelled, _refused_before, _drained, _grouped)
_OF_REPORTS: Final[tuple[Check, ...]] = (
    _hostless,
    _without_image,
    _without_network,
    _narrow_hosts,
    _narrow_datastores,
    _claimed,
)


def _applicable(checks: tuple[Check, ...], need: Need) -> tuple[Check, ...]:
    """Those that can find anything: most needs name no labels, no group and nothing to be near."""
    asked: dict[Check, object] = {
        _apart: need.near,
        _unlabelled: need.labels,
        _refused_before: need.excluded,
        _grouped: need.group,
    }
    return tuple(check for check in checks if asked.get(check, True))


def _no_host(wanted: Amounts, cluster: Cluster) -> Reason:
    hosts = cluster.facts.hosts
    cpu, memory = max(it.cpu for it in hosts), max(it.memory_mb for it in hosts)
    text = f"no single host has {wanted.cpu} processors and {_gib(wanted.memory_mb)} of memory free; ask for less"
    return Reason(text, f"at most {cpu} and {_gib(memory)}")


def _too_little(wanted: str, left: str) -> Reason:
    return Reason(f"has less than {wanted} left to claim; ask for less, or release something", f"{left} left")


def _gib(mib: int) -> str:
    return f"{max(0, mib) / 1024:.4g} GiB"


def _quoted(name: str) -> str:
    return repr(name if len(name) <= _QUOTED else f"{name[: _QUOTED - 1]}…")
