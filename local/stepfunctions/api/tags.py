"""Tags on state machines and activities."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.api.arns import parse_arn
from local.stepfunctions.api.store import MachineStore
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.tokens import Activities

Request = dict[str, Any]
MAX_TAGS = 50


class TagOperations:
    """TagResource, UntagResource, ListTagsForResource."""

    def __init__(self, store: MachineStore, activities: Activities) -> None:
        self._store = store
        self._activities = activities
        self._activity_tags: dict[str, dict[str, str]] = {}

    def _tags(self, arn: str) -> dict[str, str]:
        parse_arn(arn, "stateMachine", "activity")
        if arn in self._store.machines:
            return self._store.machines[arn].tags
        if self._activities.exists(arn):
            return self._activity_tags.setdefault(arn, {})
        raise ApiError("ResourceNotFound", f"Resource not found: '{arn}'")

    def tag(self, request: Request, now: float) -> dict[str, Json]:
        """TagResource: adds tags and replaces those of the same key."""
        tags = self._tags(request["resourceArn"])
        added = {tag["key"]: tag.get("value", "") for tag in request["tags"]}
        if len({**tags, **added}) > MAX_TAGS:
            raise ApiError("TooManyTags", f"Too many tags: the limit is {MAX_TAGS}")
        tags.update(added)
        return {}

    def untag(self, request: Request, now: float) -> dict[str, Json]:
        """UntagResource."""
        tags = self._tags(request["resourceArn"])
        for key in request["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list(self, request: Request, now: float) -> dict[str, Json]:
        """ListTagsForResource."""
        return {"tags": [{"key": key, "value": value} for key, value in self._tags(request["resourceArn"]).items()]}
