"""`python -m tests.model`: how many states the model has, and how long it takes to visit all."""

from __future__ import annotations

import time

from tests.model.checker import check
from tests.model.rules import SIZES
from tests.model.saga_model import SagaModel


def main() -> None:
    """Print one line for each size of the model."""
    for rules in SIZES:
        began = time.monotonic()
        states, moves, trace, longest = check(SagaModel(rules).system())
        took = time.monotonic() - began
        size = f"{rules.resources} resource(s), {rules.calls} call(s) at once"
        result = trace.problem if trace else f"holds; at most {longest} moves to the end"
        print(f"{size}: {states} states, {moves} moves, {took:.1f} s: {result}")


if __name__ == "__main__":
    main()
