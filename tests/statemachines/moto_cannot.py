"""What moto 5.2.5's interpreter gets wrong of what the definitions rely on: the scenario, and why it fails there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NO_NESTED_START = (
    "`states:startExecution` renames its parameters before the SDK sees them: always States.Runtime, 'StateMachineArn'"
)

_NO_CAUSE = "SendTaskFailure drops the cause: what is caught has none"

MOTO_CANNOT: Final[Mapping[str, str]] = {
    "test_compensation_starts_the_release_machine_under_the_sagas_name": _NO_NESTED_START,
    "test_a_saga_that_cannot_begin_or_decide_is_compensated": _NO_NESTED_START,
    "test_a_compensation_that_was_started_already_is_not_started_again": _NO_NESTED_START,
    "test_what_a_collector_ended_its_task_with_is_what_is_noted": _NO_CAUSE,
}
