"""The page about the model names every transition, and code that exists."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from tests.model.rules import SIZES
from tests.model.saga_model import SagaModel

PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text("utf-8")
CODE = re.compile(r"`(lambdas/[\w/]+)\.py:([\w.]+)`")


def transitions() -> set[str]:
    """The labels of all moves that one resource makes."""
    model = SagaModel(SIZES[0])
    initial = model.system().initial
    labels, met, work = set[str](), {initial}, [initial]
    while work:
        for move in model.moves(work.pop()):
            labels.add(move.label)
            if move.after not in met:
                met.add(move.after)
                work.append(move.after)
    return labels


def test_every_transition_of_the_model_is_on_the_page() -> None:
    assert {label for label in transitions() if f"`{label}`" not in PAGE} == set()


@pytest.mark.parametrize(("module", "name"), sorted(set(CODE.findall(PAGE))))
def test_the_code_that_the_page_names_exists(module: str, name: str) -> None:
    assert callable(reduce(getattr, name.split("."), import_module(module.replace("/", "."))))
