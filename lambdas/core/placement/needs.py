"""What a machine needs of a cluster, as placement compares it with what there is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lambdas.core.clusters import Amounts, needed
from lambdas.core.specs.private import PrivateInstance
from lambdas.core.targets import DEFAULT

_KEY_BYTES: Final = 12  # 96 bits: no two groups of a cluster ever share a key by chance


@dataclass(frozen=True, slots=True)
class Need:
    """What one machine needs, and where it may be.

    `network` None is the cluster's own default, `group` the key of its anti-affinity group or "", `near` the name of
    the cluster that it must share, `excluded` those that refused it before.
    """

    provider: str
    amounts: Amounts
    image: str
    target: str = DEFAULT
    network: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    group: str = ""
    near: str | None = None
    prefer: Literal["spread", "pack"] = "spread"
    excluded: frozenset[str] = frozenset()


def need_of(definition: PrivateInstance, caller: str, near: str | None = None, excluded: Iterable[str] = ()) -> Need:
    """What a machine of a request needs, asked for by `caller`."""
    placement = definition.placement
    return Need(
        provider=definition.provider,
        amounts=needed(placement),
        image=definition.spec.image,
        target=definition.target,
        network=definition.spec.network,
        labels=placement.labels,
        group=group_key(caller, placement.anti_affinity),
        near=near,
        prefer=placement.prefer,
        excluded=frozenset(excluded),
    )


def group_key(caller: str, group: str | None) -> str:
    """What stands in a cluster's claims for a caller's anti-affinity group: 16 characters; "" for no group.

    Two callers' groups of one name are two groups. A key tells nobody who reads the claims whose group it is, and it is
    short, since each claim of a cluster pays for writing all of its keys.
    """
    if not group:
        return ""
    digest = hashlib.sha256(f"{group}\n{caller}".encode()).digest()  # no group's name has a line break in it
    return base64.urlsafe_b64encode(digest[:_KEY_BYTES]).decode()
