"""Static checks of variables: what an outer scope assigns, no Parallel branch or inline Map inside it may assign again.

The rule is in "Passing data between states with variables" of the developer guide; the wording here is our own.
"""

from __future__ import annotations

from local.stepfunctions.asl.diagnostics import Diagnostics
from local.stepfunctions.jsontext import Json


def check_scopes(
    found: Diagnostics, block: dict[str, Json], place: str = "", outer: frozenset[str] = frozenset()
) -> None:
    """Check a block and the blocks inside it; malformed parts are left to the other checks."""
    states = block.get("States")
    if not isinstance(states, dict):
        return
    known = {name: state for name, state in states.items() if isinstance(state, dict)}
    assigned: set[str] = set()
    for name, state in known.items():
        for variable in _assigned(state):
            if variable in outer:
                message = f"The variable '{variable}' is assigned in an outer scope and cannot be assigned here"
                found.error(message, f"{place}/States/{name}/Assign")
            assigned.add(variable)
    inside = outer | assigned
    for name, state in known.items():
        for field, inner, shared in _inner(state):
            check_scopes(found, inner, f"{place}/States/{name}/{field}", inside if shared else frozenset())


def _assigned(state: dict[str, Json]) -> list[str]:
    holders = [state, *_dicts(state.get("Choices")), *_dicts(state.get("Catch"))]
    assigns = [holder["Assign"] for holder in holders if isinstance(holder.get("Assign"), dict)]
    return [name.removesuffix(".$") for assign in assigns for name in assign]


def _inner(state: dict[str, Json]) -> list[tuple[str, dict[str, Json], bool]]:
    blocks = [(f"Branches[{index}]", branch, True) for index, branch in enumerate(_dicts(state.get("Branches")))]
    for field in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(field), dict):
            config = state[field].get("ProcessorConfig")
            distributed = isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
            blocks.append((field, state[field], not distributed))
    return blocks


def _dicts(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
