"""Which states, and which Choice, Retry and Catch branches, the executions under test have taken."""

from __future__ import annotations

from collections.abc import Iterator

from local.stepfunctions.jsontext import Json

Arm = tuple[str, str]


class Coverage:
    """Coverage of the machines watched; an arm is (state, "entered" | "Choices[0]" | "Default" | "Retry[0]" | ...)."""

    def __init__(self) -> None:
        self.machines: dict[str, set[Arm]] = {}
        self.taken: set[tuple[str, str, str]] = set()

    def watch(self, name: str, definition: dict[str, Json]) -> None:
        """Count a machine's states and branches."""
        self.machines.setdefault(name, set()).update(_arms(definition))

    def observe(self, machine: str, state: str, arm: str) -> None:
        """An execution of `machine` has taken an arm."""
        self.taken.add((machine, state, arm))

    def missing(self, machine: str) -> list[Arm]:
        """What no execution of the machine has taken yet."""
        return sorted(arm for arm in self.machines[machine] if (machine, *arm) not in self.taken)

    def report(self) -> list[str]:
        """A line for each machine, and one for each state or branch never taken."""
        lines = []
        for machine, arms in sorted(self.machines.items()):
            missing = self.missing(machine)
            states = [arm for arm in arms if arm[1] == "entered"]
            missed = [arm for arm in missing if arm[1] == "entered"]
            branches, untaken = len(arms) - len(states), len(missing) - len(missed)
            lines.append(
                f"{machine}: states {len(states) - len(missed)}/{len(states)}, branches {branches - untaken}/{branches}"
            )
            lines += [
                f"  never {'entered' if arm == 'entered' else 'taken'}: {_shown(state, arm)}" for state, arm in missing
            ]
        return lines


def _shown(state: str, arm: str) -> str:
    return state if arm == "entered" else f"{state} {arm}"


def _arms(block: dict[str, Json]) -> Iterator[Arm]:
    for name, state in block["States"].items():
        yield name, "entered"
        if "Default" in state:
            yield name, "Default"
        for field in ("Choices", "Retry", "Catch"):
            for index in range(len(state.get(field, ()))):
                yield name, f"{field}[{index}]"
        for branch in state.get("Branches", ()):
            yield from _arms(branch)
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                yield from _arms(state[field])
