"""Sagas that expire, on EventBridge Scheduler: one schedule per saga, which fires once and is gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.adapters.settings import ExpirySettings
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.ports.clock import Clock
from lambdas.core.steps.saga import ReleaseReason

_SOON: Final = timedelta(seconds=60)
"""Scheduler's precision; a moment that has passed by the time it is asked for would never come."""

# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html#API_CreateSchedule_Errors
_USELESS: Final = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})


class SchedulerExpiry:
    """Makes schedules named after sagas, in a group of their own, that start the release machine."""

    def __init__(self, client: Any, settings: ExpirySettings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def schedule(self, saga_id: str, moment: datetime) -> None:
        """Have the saga released at that moment; one that is scheduled already stays so.

        Raises RetryableError, or TerminalError for what the deployment does not allow.
        """
        now = self._clock.now()
        at = (moment if moment > now else now + _SOON).astimezone(UTC)
        try:
            self._client.create_schedule(
                Name=saga_id,
                GroupName=self._settings.group,
                ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._settings.release_state_machine,
                    "RoleArn": self._settings.role,
                    "Input": json.dumps({"saga_id": saga_id, "reason": ReleaseReason.EXPIRE}),
                },
            )
        except self._client.exceptions.ConflictException:
            return
        except ClientError as error:
            raise _translated(error) from error
        except BotoCoreError as error:
            raise RetryableError(type(error).__name__, "EventBridge Scheduler did not answer") from error


def _translated(error: ClientError) -> RetryableError | TerminalError:
    code = error.response["Error"]["Code"]
    kind = TerminalError if code in _USELESS else RetryableError
    return kind(code, "the saga's expiry could not be scheduled")
