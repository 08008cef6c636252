"""Task tokens and activity queues: how the outside finds the attempt it wants to end."""

from __future__ import annotations

import base64
import hashlib
from collections import deque

from local.stepfunctions.runtime.execution import Attempt

_MARK = "AQCEAAAAKgAAAAMAAAAAAAAAA"


class Tokens:
    """Issues tokens that can be told from invented ones even after they are void."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._attempts: dict[str, Attempt] = {}

    def issue(self, attempt: Attempt) -> str:
        """A new token for the attempt, the same for the same seed, execution and attempt."""
        execution = attempt.branch.execution
        secret = f"{self._seed}:{execution.arn}:{execution.started}:{attempt.number}"
        body = base64.b64encode(hashlib.sha512(secret.encode()).digest()).decode().rstrip("=")
        token = f"{_MARK}{body}{_check(body)}"
        self._attempts[token] = attempt
        return token

    def find(self, token: str) -> Attempt | None:
        """The attempt a token stands for, None when it is void or was never issued."""
        return self._attempts.get(token)

    def was_issued(self, token: str) -> bool:
        """Whether a token has the form of one that was issued."""
        body = token.removeprefix(_MARK)
        return token.startswith(_MARK) and body[-8:] == _check(body[:-8])

    def outstanding(self) -> list[str]:
        """The tokens whose attempts are not over."""
        return list(self._attempts)

    def void(self, token: str) -> None:
        """The token's attempt is over."""
        self._attempts.pop(token, None)


def _check(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:8]


class Activities:
    """Activities by ARN, each with the tasks that no worker has taken yet."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Attempt]] = {}
        self.created: dict[str, float] = {}

    def create(self, arn: str, moment: float) -> float:
        """Create an activity unless it exists; returns when it was created."""
        self._queues.setdefault(arn, deque())
        return self.created.setdefault(arn, moment)

    def delete(self, arn: str) -> None:
        """Delete an activity; its waiting tasks run into their time limits."""
        self._queues.pop(arn, None)
        self.created.pop(arn, None)

    def exists(self, arn: str) -> bool:
        """Whether there is such an activity."""
        return arn in self._queues

    def offer(self, arn: str, attempt: Attempt) -> None:
        """Queue a task."""
        self._queues[arn].append(attempt)

    def next(self, arn: str) -> Attempt | None:
        """The task that has waited longest, still queued; None when there is none."""
        queue = self._queues.get(arn)
        return queue[0] if queue else None

    def take(self, attempt: Attempt) -> None:
        """Remove a task from its queue, if it is in one."""
        for queue in self._queues.values():
            if attempt in queue:
                queue.remove(attempt)
                return
