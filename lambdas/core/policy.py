"""How patient the saga is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class Policy(BaseModel):
    """Deadlines and looking intervals, in seconds.

    A resource not ready `create_timeout` after it was begun has failed; one that is not gone `release_timeout` after
    its release began is stuck. Between looks passes half the time waited so far, within `min_delay` and `max_delay`:
    quick things are noticed quickly, and slow ones cost few looks (at most 40 in half an hour). A release may take
    longer, and each of its rounds is another try besides a look, so rounds may be four times as far apart: even a saga
    of which nothing will go away stays below an execution's 25,000 events.

    A saga at work of which nothing was heard for `silence` has lost its execution: no step is silent for so long. What
    should not exist is swept once it is `sweep_age` old: clouds' lists lag, and what has just ended may still be going.
    What needs attention is tried again by every sweep for as long as `keep_trying`, 0 for never: an execution's events
    are bounded, so one release cannot go on for ever.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    create_timeout: float = Field(default=1800, gt=0)
    release_timeout: float = Field(default=3600, gt=0)
    min_delay: int = Field(default=2, ge=0)
    max_delay: int = Field(default=60, ge=1)
    silence: float = Field(default=7200, gt=0)
    sweep_age: float = Field(default=3600, ge=0)
    keep_trying: float = Field(default=86_400, ge=0)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The policy that variables such as `SKYSAGA_CREATE_TIMEOUT` set; the defaults where they are absent."""
        names = {name: f"SKYSAGA_{name.upper()}" for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if key in environ})

    def silent(self, last_heard: datetime, now: datetime) -> bool:
        """Whether a saga at work that was last heard of then has lost its execution."""
        return now - last_heard > timedelta(seconds=self.silence)

    def sweepable(self, since: datetime, now: datetime) -> bool:
        """Whether what should not exist since then may be swept by now."""
        return now - since >= timedelta(seconds=self.sweep_age)

    def worth_trying(self, stuck_since: datetime, now: datetime) -> bool:
        """Whether what has needed attention since then is still tried again without anybody asking."""
        return now - stuck_since < timedelta(seconds=self.keep_trying)

    def delay(self, waited: timedelta) -> int:
        """Whole seconds until the next look, after having waited for so long."""
        return max(self.min_delay, min(self.max_delay, int(waited.total_seconds() / 2)))

    def release_delay(self, waited: timedelta) -> int:
        """Whole seconds between a try to remove something and the look whether it worked, so long into its release."""
        return max(self.min_delay, min(4 * self.max_delay, int(waited.total_seconds() / 2)))

    def create_expired(self, began: datetime, now: datetime) -> bool:
        """Whether something begun then should have been ready by now."""
        return now - began > timedelta(seconds=self.create_timeout)

    def build_abandoned(self, began: datetime, now: datetime) -> bool:
        """Whether the worker of a private cluster should have built something by now, or said why not."""
        return now - began > timedelta(seconds=2 * self.create_timeout)

    def removal_abandoned(self, began: datetime, now: datetime) -> bool:
        """Whether the worker of a private cluster should have removed something by now, or said why not.

        It must be over before the saga is taken for one that nobody works on.
        """
        return now - began > timedelta(seconds=1.5 * self.release_timeout)

    def release_expired(self, began: datetime, now: datetime) -> bool:
        """Whether something whose release began then should have been gone by now."""
        return now - began > timedelta(seconds=self.release_timeout)
