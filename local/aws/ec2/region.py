"""All that the corrections remember about one region of an account, beside moto's own backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.ec2.models import ec2_backends

from local.aws.ec2.client_tokens import ClientTokens
from local.aws.ec2.instances import InstanceLife
from local.aws.ec2.timeline import Timeline
from local.aws.ec2.volumes import VolumeLife
from local.clock import Clock


class Region:
    """One region's backend, tokens and lives, on the account's clock."""

    def __init__(self, backend: Any, clock: Clock, seconds: Mapping[str, float]) -> None:
        self.backend = backend
        self.timeline = Timeline(clock)
        self.tokens = ClientTokens()
        self.instances = InstanceLife(backend, self.timeline, seconds)
        self.volumes = VolumeLife(backend, self.timeline, seconds)


class Regions:
    """The regions asked for so far, of the account and of others whose roles were assumed; each made when needed."""

    def __init__(self, account_id: str, clock: Clock, seconds: Mapping[str, float]) -> None:
        self._account_id = account_id
        self._clock = clock
        self._seconds = seconds
        self._regions: dict[tuple[str, str], Region] = {}

    def __getitem__(self, name: str) -> Region:
        return self.of(self._account_id, name)

    def of(self, account_id: str, name: str) -> Region:
        """A region of any account."""
        key = (account_id, name)
        if key not in self._regions:
            self._regions[key] = Region(ec2_backends[account_id][name], self._clock, self._seconds)
        return self._regions[key]

    @property
    def accounts(self) -> list[str]:
        """The accounts of which a region was asked for, and the one that is always there."""
        return sorted({self._account_id, *(account_id for account_id, _ in self._regions)})
