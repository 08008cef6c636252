"""The private clouds that a deployment declares, and their clusters, read from the CDK context `private_clouds`.

`{NAME: {"provider": "vsphere", "server": URL, "secret": NAME_OR_ARN, "clusters": {NAME: {"cluster": ...}}}}`; what else
they may have stands in the classes below, and in docs/clusters.md.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from constructs import Construct
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints

from infra.declaration import parsed

MOST_CLUSTERS: Final = 12
"""Of one private cloud: what its worker may do names each of its clusters, and IAM bounds how long that may be."""

MOST_BYTES: Final = 3700
"""Of a cluster's settings: a standard SSM parameter holds 4,096, and the queue and the table are not known yet."""

DEAD: Final = "-dead"
"""How the name of a dead-letter queue ends."""


def encrypted_or_local(url: str) -> str:
    """A URL that a password may be sent to: encrypted, or not leaving the machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a URL of a host and a path and nothing else")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must be https: what signs in is sent to it")
    return url


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host does not leave the machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Text = Annotated[str, StringConstraints(max_length=255)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
"""As requests may write labels: no other could be asked for."""

Server = Annotated[str, StringConstraints(max_length=255), AfterValidator(encrypted_or_local)]
Secret = Annotated[
    str,
    StringConstraints(
        pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,255}-[A-Za-z0-9]{6}"
        r"|[A-Za-z0-9/_+=.@-]{1,255})$"
    ),
]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}$")]
Amount = Annotated[int, Field(ge=0)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Overcommit(_Declared):
    """How much may be promised for each processor, MiB and GiB that is there."""

    cpu: Ratio = 4.0
    memory: Ratio = 1.0
    disk: Ratio = 1.0


class Reserve(_Declared):
    """What is never given away: processors, MiB and GiB."""

    cpu: Amount = 0
    memory_mb: Amount = 0
    disk_gb: Amount = 0


class Cluster(_Declared):
    """A cluster, `cluster` being what it is called on its server; `concurrency` machines are worked on at a time."""

    cluster: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    folder: Text = ""
    network: Text = ""
    labels: dict[Word, Word] = Field(default={}, max_length=32)
    concurrency: int = Field(default=4, ge=1, le=1000)
    overcommit: Overcommit = Overcommit()
    reserve: Reserve = Reserve()


class Vpc(_Declared):
    """Where functions are attached, so that they reach the server."""

    subnets: list[SubnetId] = Field(min_length=1, max_length=16)
    security_groups: list[SecurityGroupId] = Field(min_length=1, max_length=5)


class PrivateCloud(_Declared):
    """A vCenter or a VMM server, the login to it, and who works on its clusters: functions of ours, or an agent."""

    provider: Literal["vsphere", "scvmm"]
    server: Server
    secret: Secret
    target: Name = "default"
    worker: Literal["lambda", "agent"] = "agent"
    vpc: Vpc | None = None
    clusters: dict[Name, Cluster] = Field(min_length=1, max_length=MOST_CLUSTERS)

    def settings(self, name: str, queue_url: str = "", ledger_table: str = "") -> str:
        """The value of the SSM parameter of one of the clusters: JSON of ClusterSettings in `lambdas.core.clusters`."""
        document = {
            "name": name,
            **self.model_dump(include={"provider", "server", "secret", "target"}),
            **self.clusters[name].model_dump(),
            "queue_url": queue_url,
            "ledger_table": ledger_table,
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True)


class PrivateClouds(RootModel[dict[Name, PrivateCloud]]):
    """All of them by name, in the order of their declaration."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_context(cls, scope: Construct) -> PrivateClouds:
        """Read the context value `private_clouds`, an object or its JSON; raises BadDeclaration."""
        value = scope.node.try_get_context("private_clouds")
        return cls.parse({} if value is None else value)

    @classmethod
    def parse(cls, value: object) -> PrivateClouds:
        """The private clouds of a document or of its JSON; raises BadDeclaration."""
        return parsed(cls, "private_clouds", value, cls._mistakes)

    @property
    def by_name(self) -> Mapping[str, PrivateCloud]:
        """Each private cloud by its name."""
        return self.root

    def targets(self, provider: str) -> str:
        """The value of the SSM parameter with a private provider's targets: JSON of all that its clouds are part of."""
        names = {cloud.target for cloud in self.root.values() if cloud.provider == provider}
        return json.dumps({name: {} for name in sorted(names)}, separators=(",", ":"))

    def _mistakes(self) -> list[str]:
        found = [
            f"private_clouds.{name}.vpc: give it to a worker on lambda; an agent has the network that it runs in"
            for name, cloud in self.root.items()
            if cloud.vpc is not None and cloud.worker == "agent"
        ]
        named: dict[str, str] = {}
        placed: dict[tuple[str, str], str] = {}
        for where, cloud, name, cluster in self._clusters():
            if name.endswith(DEAD):
                found.append(f"{where}: a name ends in {DEAD} only where it is a dead-letter queue's")
            other = named.setdefault(name, where)
            if other != where:
                found.append(f"{where}: is called like {other}; names are unique over all private clouds")
            other = placed.setdefault((_place(cloud.server), cluster.cluster), where)
            if other != where:
                found.append(f"{where}: is the same cluster as {other}, and would be promised twice")
            size = len(cloud.settings(name).encode())
            if size > MOST_BYTES:
                found.append(f"{where}: its settings are {size} bytes; an SSM parameter has room for {MOST_BYTES}")
        return found

    def _clusters(self) -> Iterator[tuple[str, PrivateCloud, str, Cluster]]:
        for cloud_name, cloud in self.root.items():
            for name, cluster in cloud.clusters.items():
                yield f"private_clouds.{cloud_name}.clusters.{name}", cloud, name, cluster


def _place(server: str) -> str:
    return server.rstrip("/").lower()
