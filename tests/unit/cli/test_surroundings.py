"""As whom the command calls, what it finds missing, and what it takes to run at all."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click
import pytest

from cli import __version__
from cli.__main__ import main
from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_api import FakeApi

ROOT = Path(__file__).resolve().parents[3]
NOBODY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_DEFAULT_REGION": ""}


def test_a_token_is_shown_instead_of_a_signature_and_needs_neither_credentials_nor_a_region(run: Run) -> None:
    assert run("list", SKYSAGA_TOKEN="good", **NOBODY).exit_code == 0
    refused = run("list", SKYSAGA_TOKEN="stale", **NOBODY)
    assert refused.exit_code == 2
    assert "stale" not in refused.output


def test_a_token_does_not_travel_in_the_open(run: Run) -> None:
    result = run("list", "--endpoint", "http://skysaga.example", SKYSAGA_TOKEN="good")
    assert result.exit_code == 2
    assert "give an https:// --endpoint" in result.stderr


def test_no_option_takes_a_token() -> None:
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    options = {name for it in commands if it for param in it.params for name in param.opts}
    assert "--profile" in options
    assert [name for name in options if "token" in name] == []


def test_a_redirection_is_not_followed_with_anybodys_signature(api: FakeApi, run: Run) -> None:
    api.trouble(302, path="/sagas")
    assert run("list").exit_code == 2
    assert api.calls == ["GET /sagas"]


def test_a_profile_that_is_not_there_is_bad_input(run: Run) -> None:
    result = run("list", "--profile", "nobody", **NOBODY)
    assert result.exit_code == 2
    assert "The config profile (nobody) could not be found" in result.stderr


def test_the_local_mode_is_found_from_a_folder_inside_the_checkout(
    address: str, run: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / ".local").mkdir()
    (empty_folder / ".local" / "endpoints.json").write_text(json.dumps({"api": address}))
    (empty_folder / "examples").mkdir()
    monkeypatch.chdir(empty_folder / "examples")
    assert run("list", SKYSAGA_ENDPOINT="", **NOBODY).exit_code == 0


def checks(result: Any) -> dict[str, dict[str, Any]]:
    document = json.loads(result.stdout)
    assert document["schema"] == "skysaga.doctor.v1"
    assert document["healthy"] is (result.exit_code == 0)
    return {it["subject"]: it for it in document["checks"]}


def test_a_doctor_who_finds_nothing_missing_ends_with_0(run: Run) -> None:
    found = checks(run("doctor", "-o", "json"))
    assert [name for name, it in found.items() if it["state"] == "missing"] == []
    assert found["authorized"]["state"] == found["clock"]["state"] == found["reachable"]["state"] == "ok"
    assert found["credentials"]["says"] == "AWS credentials, found by env"


def test_everything_that_is_missing_comes_with_what_to_do(run: Run) -> None:
    result = run("doctor", "-o", "json", SKYSAGA_ENDPOINT="http://127.0.0.1:9", **NOBODY)
    assert result.exit_code == 1
    found = checks(result)
    assert [name for name, it in found.items() if it["state"] == "missing"] == ["credentials", "region", "reachable"]
    assert all(it["fix"] for it in found.values() if it["state"] != "ok")
    assert "give --profile" in found["credentials"]["fix"]


def test_without_any_endpoint_the_doctor_says_where_one_comes_from(run: Run) -> None:
    result = run("doctor", SKYSAGA_ENDPOINT="")
    assert result.exit_code == 1
    assert "MISSING  endpoint" in result.stdout
    assert "-> give --endpoint or set SKYSAGA_ENDPOINT" in result.stdout


def test_somebody_who_is_not_let_in_is_told_so(run: Run) -> None:
    found = checks(run("doctor", "-o", "json", SKYSAGA_TOKEN="stale"))
    assert found["authorized"]["state"] == "missing"
    assert "execute-api:Invoke" in found["authorized"]["fix"]


def test_a_clock_that_is_off_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    examination = importlib.import_module("cli.examination")
    monkeypatch.setattr(examination, "_SKEW_REFUSED", -1.0)
    found = checks(run("doctor", "-o", "json"))
    assert found["clock"]["state"] == "missing"
    assert "timedatectl" in found["clock"]["fix"]


def test_up_is_make_up_of_the_checkout_around_this_folder(empty_folder: Path) -> None:
    for name in ("Makefile", "app.py", "local/__main__.py"):
        path = empty_folder / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("up:\n\t@echo it is up\n")
    inside = empty_folder / "repository" / "local"
    command = (sys.executable, "-m", "cli", "up")
    found = ran(*command, folder=inside, PYTHONPATH=str(ROOT))
    given = ran(*command, "--checkout", inside.parent, folder=empty_folder, PYTHONPATH=str(ROOT))
    assert (found.stdout, given.stdout) == ("it is up\n", "it is up\n")


def test_up_elsewhere_says_what_to_do(run: Run, empty_folder: Path) -> None:
    nowhere, wrong = run("up"), run("up", "--checkout", str(empty_folder))
    assert (nowhere.exit_code, wrong.exit_code) == (2, 2)
    assert "Change into one, or name it with --checkout" in nowhere.stderr
    assert "is no checkout of skysaga" in wrong.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0, result.output
    assert "_SKYSAGA_COMPLETE" in result.stdout


def completed(run: Run, line: str, **environment: str) -> list[str]:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_SKYSAGA_COMPLETE": "bash_complete"}
    return [it.partition(",")[2] for it in run(**words, **environment).stdout.split()]


def test_verbs_statuses_and_the_ids_of_sagas_are_completed(
    api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.submit()
    monkeypatch.setattr(main, "name", "skysaga")
    assert completed(run, "skysaga ca") == ["cancel"]
    assert completed(run, "skysaga list --status RO") == ["rolled_back"]
    assert completed(run, "skysaga get s0") == ["s0000"]
    assert completed(run, "skysaga get s0", SKYSAGA_ENDPOINT="http://127.0.0.1:9") == []


def test_a_verb_is_loaded_without_what_signs() -> None:
    heavy = "import cli.__main__, sys; m = cli.__main__.main; [m.get_command(None, n) for n in m.list_commands(None)]; "
    code = heavy + "print([n for n in ('boto3', 'botocore', 'requests', 'pydantic', 'duckdb') if n in sys.modules])"
    assert ran(sys.executable, "-c", code).stdout.strip() == "[]"


def test_the_agents_libraries_are_those_that_functions_are_deployed_with() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["worker"]
    declared: set[str] = set()
    for name in ("lambdas", "lambdas/vsphere", "lambdas/scvmm"):
        lines = (ROOT / name / "requirements.in").read_text().splitlines()
        declared |= {line.partition("#")[0].strip() for line in lines if line and line[0] not in "#-"}
    assert set(wanted) <= declared


def ran(*command: str | Path, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` installs."""
    folder = tmp_path_factory.mktemp("wheel")
    built = ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_installs_and_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    uv, environment = Path(sys.executable).with_name("uv"), tmp_path / "env"
    python = environment / "bin" / "python"
    made = ran(uv, "venv", "--quiet", "--python", sys.executable, environment)
    pinned = ("--constraint", ROOT / "requirements.txt")
    installed = ran(uv, "pip", "install", "--quiet", "--python", python, *pinned, wheel)
    assert (made.returncode, installed.returncode) == (0, 0), made.stderr + installed.stderr

    command = python.with_name("skysaga")
    assert ran(command, "--version", folder=tmp_path).stdout == f"skysaga {__version__}\n"
    shown = ran(command, "--help", folder=tmp_path).stdout
    assert [it for it in main.list_commands(click.Context(main)) if f"  {it} " not in shown] == []
    agentless = ran(command, "worker", "--cluster", "berlin-1", folder=tmp_path)
    assert (agentless.returncode, "pip install 'skysaga[worker]'" in agentless.stderr) == (2, True)


def test_the_wheel_has_everything_that_an_agent_runs_and_nothing_else_of_what_is_deployed(
    wheel: Path, tmp_path: Path
) -> None:
    code = "import cli.agent, lambdas.vsphere.handler as one, lambdas.scvmm.handler as other; print(one.__file__)"
    outcome = ran(sys.executable, "-c", code, folder=tmp_path, PYTHONPATH=str(wheel), AWS_DEFAULT_REGION="eu-west-1")
    assert outcome.stdout.startswith(str(wheel)), outcome.stderr
    names = set(ZipFile(wheel).namelist())
    packages = {name.split("/")[1] for name in names if name.startswith("lambdas/")}
    assert packages == {"__init__.py", "adapters", "core", "scvmm", "vsphere", "worker"}
    page = {it.relative_to(ROOT / "console").as_posix() for it in (ROOT / "console").rglob("*") if it.is_file()}
    assert {f"cli/console/static/{name}" for name in page} <= names
