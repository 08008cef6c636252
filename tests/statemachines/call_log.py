"""What a state machine asked of functions, in words and in order."""

from __future__ import annotations

from collections import defaultdict

from tests.statemachines.scripted_lambda import Payload


class CallLog:
    """The calls of one execution: `calls` in order, and the `payloads` of each."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.payloads: dict[str, list[Payload]] = defaultdict(list)

    def add(self, call: str, payload: Payload) -> None:
        """Note one more call."""
        self.calls.append(call)
        self.payloads[call].append(payload)

    def about(self, resource_id: str) -> list[str]:
        """The steps asked about one resource, in order."""
        return [call.partition(" ")[0] for call in self.calls if call.endswith(f" {resource_id}")]

    def by_join(self, join: str) -> list[set[str]]:
        """The calls up to each `decide` or `conclude`, which are left out; siblings come in no certain order."""
        parts: list[set[str]] = [set()]
        for call in self.calls:
            if call.startswith(join):
                parts.append(set())
            else:
                parts[-1].add(call)
        return parts[:-1]
