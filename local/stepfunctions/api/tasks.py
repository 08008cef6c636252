"""Task tokens and activities: what workers outside call."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.api.arns import check_name, parse_arn
from local.stepfunctions.api.paging import page
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json, loads, too_large
from local.stepfunctions.runtime.core import Core
from local.stepfunctions.runtime.execution import Attempt
from local.stepfunctions.runtime.host import Outcome

Request = dict[str, Any]


class TaskOperations:
    """SendTask*, activities and their queues."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._prefix = f"arn:aws:states:{core.region}:{core.account}:activity:"

    def _attempt(self, token: str) -> Attempt:
        attempt = self._core.tokens.find(token)
        if attempt is not None:
            return attempt
        if self._core.tokens.was_issued(token):
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")

    def _end(self, token: str, outcome: Outcome) -> dict[str, Json]:
        attempt = self._attempt(token)
        self._core.finish_attempt(attempt.branch.execution.arn, attempt.number, outcome)
        return {}

    def succeed(self, request: Request) -> dict[str, Json]:
        """SendTaskSuccess; `output` is JSON text."""
        output = request["output"]
        self._attempt(request["taskToken"])
        try:
            loads(output)
        except ValueError as error:
            raise ApiError("InvalidOutput", f"Invalid Output: '{output[:100]}'") from error
        if too_large(output):
            raise ApiError("InvalidOutput", "Invalid Output: the size exceeds the maximum number of bytes")
        return self._end(request["taskToken"], Outcome("succeeded", output=output))

    def fail(self, request: Request) -> dict[str, Json]:
        """SendTaskFailure."""
        outcome = Outcome("failed", error=request.get("error"), cause=request.get("cause"))
        return self._end(request["taskToken"], outcome)

    def heartbeat(self, request: Request) -> dict[str, Json]:
        """SendTaskHeartbeat."""
        attempt = self._attempt(request["taskToken"])
        self._core.apply("heartbeat", arn=attempt.branch.execution.arn, n=attempt.number)
        return {}

    def create_activity(self, request: Request, now: float) -> dict[str, Json]:
        """CreateActivity; the same name again answers the same."""
        check_name(request["name"])
        arn = self._prefix + request["name"]
        return {"activityArn": arn, "creationDate": self._core.activities.create(arn, now)}

    def delete_activity(self, request: Request, now: float) -> dict[str, Json]:
        """DeleteActivity; no error when there is none."""
        parse_arn(request["activityArn"], "activity")
        self._core.activities.delete(request["activityArn"])
        return {}

    def describe_activity(self, request: Request) -> dict[str, Json]:
        """DescribeActivity."""
        arn = self._activity(request["activityArn"])
        return {
            "activityArn": arn,
            "name": arn.rsplit(":", 1)[1],
            "creationDate": self._core.activities.created[arn],
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        }

    def list_activities(self, request: Request) -> dict[str, Json]:
        """ListActivities."""
        found, more = page(self._core.activities.created.items(), request)
        listed = [{"activityArn": arn, "name": arn.rsplit(":", 1)[1], "creationDate": when} for arn, when in found]
        return {"activities": listed, **more}

    def _activity(self, arn: str) -> str:
        parse_arn(arn, "activity")
        if not self._core.activities.exists(arn):
            raise ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
        return arn

    def take_activity_task(self, request: Request) -> dict[str, Json] | None:
        """GetActivityTask without its long poll: a task, or None when no task waits."""
        arn = self._activity(request["activityArn"])
        attempt = self._core.activities.next(arn)
        if attempt is None:
            return None
        worker = request.get("workerName")
        self._core.apply("activity", arn=attempt.branch.execution.arn, n=attempt.number, worker=worker)
        return {"taskToken": attempt.token, "input": attempt.input}
