"""What EventBridge does between our services: schedules fire, events find their rules, targets are called."""

from local.event_pump.deployed import Rule, Schedule, Target
from local.event_pump.errors import NotSupported
from local.event_pump.pump import EventPump

__all__ = ["EventPump", "NotSupported", "Rule", "Schedule", "Target"]
