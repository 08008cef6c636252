"""What is common to all peers: a load's figures, environments, and that no peer is left out in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import many
from bench.peers import environments
from bench.peers.environments import NotInstalled, python_environment
from bench.peers.running import Load, Running


def test_a_load_tells_its_rate_and_how_long_most_sagas_took() -> None:
    load = Load(seconds=2.0, milliseconds=[float(number) for number in range(100, 0, -1)])

    assert load.per_second == 50
    assert load.percentile(50) == 51
    assert load.percentile(99) == 100


def test_an_environment_that_cannot_be_built_says_why_and_is_not_taken_for_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "CACHE", tmp_path)
    missing = f"nothing @ file://{tmp_path}/nothing-0-py3-none-any.whl"

    for _ in range(2):
        with pytest.raises(NotInstalled, match="uv: "):
            python_environment("nothing", (missing,))


class Unavailable:
    """A peer that cannot be installed."""

    name = "unavailable"
    pins = ("unavailable==1",)
    variants = ("only",)
    durable = "all of it"

    def install(self) -> None:
        raise NotInstalled("uv: there is no such package")

    def start(self, directory: Path, variant: str, slow: float = 0) -> Running:
        raise AssertionError("it was started though it is not installed")


def test_a_peer_that_cannot_be_installed_is_a_figure_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "OURS", Unavailable())

    measured, missing = many.measure([])
    figure = many.absent(*next(iter(missing.items())))

    assert measured == []
    assert (figure["name"], figure["method"]) == (
        "many sagas, not measured: unavailable",
        "uv: there is no such package",
    )


def test_every_peer_that_keeps_anything_says_what_and_is_pinned() -> None:
    assert all(peer.pins and all("@" in pin[1:] or "==" in pin for pin in peer.pins) for peer in many.PEERS)
    assert {peer.name for peer in many.PEERS if peer.durable is None} == {"moto", "aws-local-stepfunctions"}
