"""The function that the ledger's stream calls: it tells the bus what has changed (`docs/decisions/0022`)."""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.code import FunctionCode
from infra.constructs.dead_letters import dead_letters
from infra.constructs.function import Function
from infra.constructs.keys import OperationsKey
from infra.constructs.ledger import ledger_access, stream_access
from infra.permissions.events import sending, telling

ANNOUNCER: Final = "skysaga-announce"

BATCH: Final = 100
WINDOW_SECONDS: Final = 1
"""For which records are gathered: what a person waits for is hardly later, and the calls are a tenth as many."""

TRIES: Final = 50
"""Lambda pauses ever longer between them, up to a minute: so three quarters of an hour pass until one is given up."""

OLDEST_SECONDS: Final = 6 * 3600
"""A record that is older is given up; the stream keeps it for a day."""

LATE_MINUTES: Final = 10

_HEADERS_AND_RESOURCES: Final = {
    "eventName": ["INSERT", "MODIFY"],
    "dynamodb": {"Keys": {"sk": {"S": ["HEADER", {"prefix": "RESOURCE#"}]}}},
}
"""Events of sagas, claims and reports of clusters are in the same table, and are not even handed over."""

_BY_STREAM: Final = {
    "CKV_AWS_115": "A shard is read by one call at a time; a share reserved is one taken away.",
    "CKV_AWS_116": "What is given up goes to the queue that the mapping names.",
}


class Announcer(Construct):
    """The function, what hands it the stream's records, and a queue for where those stand that were given up."""

    def __init__(
        self, scope: Construct, id: str, *, ledger: dynamodb.ITable, code: FunctionCode, alarms: Alarms
    ) -> None:
        super().__init__(scope, id)
        stack, key = Stack.of(self), OperationsKey.of(self)
        lost = dead_letters(
            self,
            "Lost",
            name=f"{ANNOUNCER}-lost",
            alarms=alarms,
            alarm="skysaga-announcements-lost",
            what_to_do="Changes of sagas were told to nobody.",
        )
        function = Function(
            self,
            "Function",
            name=ANNOUNCER,
            description="Tells the bus what has changed in the ledger, and counts what has ended",
            handler="lambdas.announce.handler.handler",
            code=code,
            environment={"LEDGER_TABLE": ledger.table_name},
            permissions=[
                *stream_access(ledger),
                *ledger_access(ledger, writing=False),
                *sending(stack, [lost.queue_arn], key),
                telling(stack, "TellOfSagas"),
            ],
            accepted=_BY_STREAM,
        )
        alarms.behind(
            "AnnouncementsLate",
            "skysaga-announcements-late",
            function.lambda_function,
            LATE_MINUTES,
            "What happens to sagas is told late: see the log of skysaga-announce.",
        )
        lambda_.CfnEventSourceMapping(
            self,
            "Stream",
            event_source_arn=ledger.table_stream_arn,
            function_name=function.version.function_arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH,
            maximum_batching_window_in_seconds=WINDOW_SECONDS,
            maximum_retry_attempts=TRIES,
            maximum_record_age_in_seconds=OLDEST_SECONDS,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(_HEADERS_AND_RESOURCES))]
            ),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=lost.queue_arn)
            ),
        ).node.add_dependency(function.lambda_function.role)  # Lambda looks whether it may read before it maps
