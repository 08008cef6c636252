"""A command's surroundings: an empty folder, nobody's credentials, and an API of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from local.http_server import serve
from tests.unit.cli.fake_api import REQUEST, FakeApi

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}

Run = Callable[..., Result]


@pytest.fixture(name="empty_folder")
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs; nothing of whoever runs the tests gets in."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_REGION", "SKYSAGA_ENDPOINT", "SKYSAGA_TOKEN", "NO_COLOR", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "request.yaml").write_text(REQUEST)
    return tmp_path


@pytest.fixture(name="api")
def _api() -> FakeApi:
    return FakeApi()


@pytest.fixture(name="address")
def _address(api: FakeApi) -> Iterator[str]:
    with serve(api, name="api") as server:
        yield server.url


@pytest.fixture(name="run")
def _run(address: str, empty_folder: Path) -> Run:
    """Run the command against the fake API; what it writes to stdout and to stderr is kept apart."""

    def run(*arguments: str, stdin: Any = None, **environment: str) -> Result:
        surroundings = {**KEYS, "SKYSAGA_ENDPOINT": address, **environment}
        return CliRunner(env=surroundings).invoke(main, arguments, input=stdin)

    return run
