"""What moto's CloudWatch and its logs lack: alarms over alarms, and saved queries.

moto keeps and describes composite alarms and has no call that puts one. Of saved queries it knows nothing.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

_KEPT: Final = "skysaga_query_definitions"


def correct_watching() -> None:
    """Teach moto the calls."""
    CloudWatchResponse.put_composite_alarm = _put_composite_alarm
    LogsResponse.put_query_definition = _put_query_definition
    LogsResponse.describe_query_definitions = _describe_query_definitions
    LogsResponse.delete_query_definition = _delete_query_definition


def _put_composite_alarm(response: Any) -> ActionResult:
    """Put an alarm that has a rule; what it has not, of a metric's alarm, is None."""
    return response.put_metric_alarm()


def _definitions(response: Any) -> dict[str, dict[str, Any]]:
    """The saved queries of an account and region, by id; they go when moto is reset, as its backend does."""
    found: dict[str, dict[str, Any]] = vars(response.logs_backend).setdefault(_KEPT, {})
    return found


def _put_query_definition(response: Any) -> str:
    asked = json.loads(response.body)
    known, given = _definitions(response), asked.pop("queryDefinitionId", None)
    if given is not None and given not in known:
        raise ResourceNotFoundException(f"The query definition {given} does not exist.")
    found = given or str(uuid.uuid4())
    known[found] = {"queryDefinitionId": found, "lastModified": 0, **asked}
    return json.dumps({"queryDefinitionId": found})


def _describe_query_definitions(response: Any) -> str:
    prefix = json.loads(response.body).get("queryDefinitionNamePrefix", "")
    found = [it for it in _definitions(response).values() if it["name"].startswith(prefix)]
    return json.dumps({"queryDefinitions": sorted(found, key=lambda it: str(it["name"]))})


def _delete_query_definition(response: Any) -> str:
    asked = json.loads(response.body)["queryDefinitionId"]
    if _definitions(response).pop(asked, None) is None:
        raise ResourceNotFoundException(f"The query definition {asked} does not exist.")
    return json.dumps({"success": True})
