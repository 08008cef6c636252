"""All of the benches in one run: one that fails does not take the others' figures along."""

from __future__ import annotations

import pytest

from bench.__main__ import measure, table


def test_a_bench_that_fails_is_a_figure_that_is_missed(capfd: pytest.CaptureFixture[str]) -> None:
    (figure,) = measure("no_such_bench")

    assert (figure["name"], figure["value"], figure["met"]) == ("no_such_bench: failed", 1, False)
    assert "No module named 'bench.no_such_bench'" in capfd.readouterr().err
    assert "MISSED" in table([figure])
