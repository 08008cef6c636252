"""Reporting on clusters: what they have, what is used of it, and what of ours is there."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.adapters.observability import logger
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import RetryableError, StepError
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.provider import PrivateProvider


class Reporting:
    """Looks at each cluster and keeps what it says of itself."""

    def __init__(self, clusters: Mapping[str, ClusterSettings], provider: PrivateProvider, reports: Clusters) -> None:
        self._clusters = clusters
        self._provider = provider
        self._reports = reports

    def report(self) -> int:
        """Report on every cluster, and return how many there are.

        One that does not answer does not keep the others from being reported on; raises RetryableError naming it at the
        end, and its last report grows old.
        """
        silent = [name for name in self._clusters if not self._reported(name)]
        if silent:
            raise RetryableError("NotReported", f"no report from {', '.join(silent)}")
        return len(self._clusters)

    def _reported(self, name: str) -> bool:
        try:
            self._reports.report(self._clusters[name], self._provider.survey(name))
        except StepError as error:
            logger.warning("no report", extra={"cluster": name, "error": type(error).__name__, "reason": str(error)})
            return False
        return True
