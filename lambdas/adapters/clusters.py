"""What is known of private clusters, in the ledger's table.

| pk              | sk         | what                                                              |
|-----------------|------------|-------------------------------------------------------------------|
| `CLUSTERS`      | name       | the settings and the newest report of a cluster                    |
| `MACHINES#name` | `MACHINES` | everything on it that carries our mark, as of that report; deflated |
| `CLUSTER#name`  | `CLAIMS`   | what is claimed of it: see `claims.py`                             |

Reports change once a minute and claims with every placement. So a placement takes both as of a moment ago, and the
condition on its claim decides.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lambdas.adapters import clients
from lambdas.adapters.claims import claimed_of, claims_key, drain_update
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.dynamodb import asked, queried
from lambdas.adapters.observability import logger
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.clusters import Claimed, ClusterReport, ClusterSettings, ClusterStanding
from lambdas.core.errors import ClusterNotFound, RetryableError
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Machines
from lambdas.core.ports.provider import Marked, Survey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLUSTERS: Final = "CLUSTERS"
MACHINES: Final = "MACHINES"

_MOST_KEYS: Final = 100
"""Of one BatchGetItem: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""

_LONGEST_NAME: Final = 40

_MARKED: Final = TypeAdapter(tuple[Marked, ...], config=ConfigDict(defer_build=True))


class _Reported(BaseModel):
    model_config = ConfigDict(defer_build=True)

    settings: ClusterSettings
    report: ClusterReport


class _Kept(NamedTuple):
    until: datetime
    standings: list[ClusterStanding]


class DynamoClusters:
    """The clusters on DynamoDB; all of them together are read again when they were read `seconds` ago."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock, seconds: float = 0) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._seconds = timedelta(seconds=seconds)
        self._kept: _Kept | None = None

    def standings(self) -> list[ClusterStanding]:
        """Every cluster that ever reported; each as of a moment ago."""
        now = self._clock.now()
        if self._kept is None or self._kept.until <= now:
            self._kept = _Kept(now + self._seconds, self._read_all())
        return self._kept.standings

    def standing(self, cluster: str) -> ClusterStanding:
        """One cluster as it stands now."""
        return ClusterStanding(*self._reported(cluster), self._claimed([cluster])[cluster])

    def report(self, settings: ClusterSettings, survey: Survey) -> None:
        """Keep what a cluster reported: what it holds first, so that no report is newer than that."""
        machines = zlib.compress(_MARKED.dump_json(survey.machines))
        at = survey.report.at.isoformat()
        self._put({**_machines_key(settings.name), "at": {"S": at}, "machines": {"B": machines}})
        document = _Reported(settings=settings, report=survey.report).model_dump_json()
        self._put({**_report_key(settings.name), "document": {"S": document}})

    def machines(self, provider: str, target: str) -> list[Machines]:
        """What each cluster of a provider that belongs to a target reported to hold of ours."""
        asked_for = [it for it, _ in self._all() if (it.provider, it.target) == (provider, target)]
        return [self._machines(settings.name) for settings in asked_for]

    def drain(self, cluster: str, drained: bool) -> None:
        """Let a cluster take nothing new from now on, or again."""
        self._reported(cluster)
        asked(partial(self._client.update_item, **drain_update(self._table, cluster, drained)))
        self._kept = None

    def _read_all(self) -> list[ClusterStanding]:
        reported = list(self._all())
        claimed = self._claimed([settings.name for settings, _ in reported])
        return [ClusterStanding(settings, report, claimed[settings.name]) for settings, report in reported]

    def _all(self) -> Iterator[tuple[ClusterSettings, ClusterReport]]:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": CLUSTERS}},
        }
        yield from filter(None, (_readable(item) for item in queried(self._client, request)))

    def _reported(self, cluster: str) -> tuple[ClusterSettings, ClusterReport]:
        item = self._get(_report_key(cluster)) if len(cluster) <= _LONGEST_NAME else None
        if item is None:
            raise ClusterNotFound(cluster)
        return _parsed(item)

    def _machines(self, cluster: str) -> Machines:
        item = self._get(_machines_key(cluster))
        if item is None:
            raise ClusterNotFound(cluster)
        machines = _MARKED.validate_json(zlib.decompress(item["machines"]["B"]))
        return Machines(cluster, datetime.fromisoformat(item["at"]["S"]), machines)

    def _claimed(self, clusters: Sequence[str]) -> dict[str, Claimed]:
        names = {claims_key(cluster)["pk"]["S"]: cluster for cluster in clusters}
        found = dict.fromkeys(clusters, Claimed())
        for item in self._batch([claims_key(cluster) for cluster in clusters]):
            found[names[item["pk"]["S"]]] = claimed_of(item)
        return found

    def _batch(self, keys: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for first in range(0, len(keys), _MOST_KEYS):
            request: Any = {self._table: {"Keys": keys[first : first + _MOST_KEYS], "ConsistentRead": True}}
            answer = asked(partial(self._client.batch_get_item, RequestItems=request))
            if answer.get("UnprocessedKeys"):
                raise RetryableError("UnprocessedKeys", "the ledger did not read all claims")
            yield from answer["Responses"][self._table]

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        answer = asked(partial(self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True))
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _put(self, item: dict[str, Any]) -> None:
        asked(partial(self._client.put_item, TableName=self._table, Item=item))


def deployed_clusters(seconds: float = 0) -> DynamoClusters:
    """The clusters in the ledger's table that the function's environment names, read again after so many seconds."""
    table = LedgerSettings.from_environment(os.environ).table
    return DynamoClusters(clients.dynamodb(), table, SystemClock(), seconds)


def _report_key(cluster: str) -> dict[str, Any]:
    return {"pk": {"S": CLUSTERS}, "sk": {"S": cluster}}


def _machines_key(cluster: str) -> dict[str, Any]:
    return {"pk": {"S": f"{MACHINES}#{cluster}"}, "sk": {"S": MACHINES}}


def _readable(item: dict[str, Any]) -> tuple[ClusterSettings, ClusterReport] | None:
    """One report that cannot be read must not hide the others."""
    try:
        return _parsed(item)
    except ValidationError as error:
        wrong = [".".join(map(str, it["loc"])) for it in error.errors(include_url=False, include_input=False)]
        logger.error("a report cannot be read", extra={"cluster": item["sk"]["S"], "fields": wrong})
        return None


def _parsed(item: dict[str, Any]) -> tuple[ClusterSettings, ClusterReport]:
    reported = _Reported.model_validate_json(item["document"]["S"])
    return reported.settings, reported.report
