"""Questions that people ask the logs of all functions, saved where they are asked: CloudWatch Logs Insights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Annotations
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.function import Function

MOST_GROUPS: Final = 50
"""That one query may look through: "CloudWatch Logs quotas"."""

QUERIES: Final = {
    "one saga": """# put the saga's id in place of SAGA
fields @timestamp, step, resource_id, message, cloud, call, request_id, operation_id, code, reason, milliseconds, @log
| filter correlation_id = "SAGA"
| sort @timestamp asc
| limit 10000""",
    "failed steps by error": """fields @timestamp
| filter message in ["step failed", "step broke"]
| stats count(*) as times, count_distinct(correlation_id) as sagas, latest(reason) as said by step, error, code
| sort times desc""",
    "slowest steps": """filter message = "step done"
| stats count(*) as calls, pct(milliseconds, 50) as p50, pct(milliseconds, 99) as p99 by @log, step
| sort p99 desc""",
    "what clouds answered": """filter message = "cloud answered"
| stats count(*) as calls, count(error) as refused, count_distinct(correlation_id) as sagas by cloud, call, error
| sort refused desc""",
    "refused API calls": """fields @timestamp, status, reason, correlation_id, xray_trace_id
| filter message = "refused"
| sort @timestamp desc
| limit 1000""",
    "what sweeps found": """fields @timestamp, dry_run, counts.SweepOrphans as orphans, counts.SweepUnknown as unknown
| fields counts.SweepOverdue as overdue, counts.SagasNeedingAttention as attention
| filter message = "swept"
| sort @timestamp desc
| limit 200""",
}
"""By name."""


class LogQueries(Construct):
    """The saved queries, over the logs of every function that the application has until then."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        groups = self._groups()
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                name.title().replace(" ", ""),
                name=f"skysaga/{name}",
                query_string=query,
                log_group_names=list(groups),
            )

    def _groups(self) -> Sequence[str]:
        """In the order of the stacks, sagas' before others': what there is more of than a query takes is left out."""
        functions = [it for it in self.node.root.node.find_all() if isinstance(it, Function)]
        groups = [it.log_group_name for it in functions]
        if len(groups) > MOST_GROUPS:
            Annotations.of(self).add_info(f"saved queries leave out {', '.join(groups[MOST_GROUPS:])}")
        return groups[:MOST_GROUPS]
