"""The bundles: whole, reproducible, small, and importable where they run."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.packaging.archive import write_zip
from infra.packaging.bundles import CODE, Bundles, build_bundles, copy_code, dependency_key, install
from infra.packaging.pruning import AWS_SERVICES
from infra.packaging.target import LAMBDA, host, running_python, target_named

AARCH64 = 183  # e_machine of an ELF file, from the processor supplement of the ELF specification
BUDGET_MB = 120

FUNCTIONS = {
    "lambdas.api.handler": ".",
    "lambdas.saga.handler": ".",
    "lambdas.aws.handler": "aws",
    "lambdas.azure.handler": "azure",
    "lambdas.gcp.handler": "gcp",
}


@pytest.fixture(name="here", scope="module")
def _here() -> Bundles:
    return build_bundles(host())


@pytest.fixture(name="for_lambda", scope="module")
def _for_lambda() -> Bundles:
    return build_bundles(LAMBDA)


@pytest.fixture(name="unpacked", scope="module")
def _unpacked(here: Bundles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every bundle for this machine, unpacked as Lambda would: the code, and beside it a folder for each layer."""
    folder = tmp_path_factory.mktemp("unpacked")
    for bundle in {here.code, *here.dependencies.values()}:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder / bundle.stem)
    return folder


@pytest.mark.parametrize("handler", FUNCTIONS)
def test_a_handler_imports_with_its_own_bundles_and_nothing_else(unpacked: Path, here: Bundles, handler: str) -> None:
    layer = unpacked / here.dependencies[FUNCTIONS[handler]].stem / "python"
    path = os.pathsep.join([str(unpacked / here.code.stem), str(layer)])

    command = [sys.executable, "-S", "-P", "-c", f"import {handler}"]
    imported = subprocess.run(  # noqa: S603
        command,
        env={"PYTHONPATH": path, "AWS_DEFAULT_REGION": "eu-west-1"},
        cwd=unpacked,
        check=False,
        capture_output=True,
        text=True,
    )
    assert imported.returncode == 0, imported.stderr


def test_every_service_that_a_function_makes_a_client_for_is_bundled() -> None:
    made = {
        text.split('"')[1]
        for path in CODE.rglob("*.py")
        for text in path.read_text().split("boto3.client(")[1:]
        if text.startswith('"')
    }

    assert made
    assert made <= AWS_SERVICES


def test_folders_with_equal_requirements_share_a_bundle(here: Bundles) -> None:
    assert here.dependencies["aws"] == here.dependencies["."]
    assert len(set(here.dependencies.values())) == 3


def test_every_bundle_is_within_its_budget(for_lambda: Bundles) -> None:
    for folder, bundle in for_lambda.dependencies.items():
        with zipfile.ZipFile(bundle) as archive:
            unzipped = sum(entry.file_size for entry in archive.infolist())
        assert unzipped < BUDGET_MB * 2**20, folder


def test_what_is_built_for_lambda_is_compiled_for_its_processor(for_lambda: Bundles) -> None:
    for bundle in for_lambda.dependencies.values():
        with zipfile.ZipFile(bundle) as archive:
            libraries = [name for name in archive.namelist() if name.endswith(".so")]
            machines = {struct.unpack_from("<H", archive.read(name), 18)[0] for name in libraries}
        assert machines == {AARCH64}


def test_every_module_comes_with_its_bytecode(for_lambda: Bundles) -> None:
    tag = sys.implementation.cache_tag
    for bundle in (for_lambda.code, *for_lambda.dependencies.values()):
        names = set(zipfile.ZipFile(bundle).namelist())
        for source in (Path(name) for name in names if name.endswith(".py")):
            assert str(source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc") in names


def test_the_code_is_our_package_without_what_only_builds_it(for_lambda: Bundles) -> None:
    names = zipfile.ZipFile(for_lambda.code).namelist()

    assert "lambdas/__init__.py" in names
    assert all(name.startswith("lambdas/") for name in names)
    assert not [name for name in names if "requirements" in name]


def test_the_same_requirements_give_the_same_bytes(here: Bundles, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()

    install(CODE / "requirements.txt", host(), again)
    write_zip(again, tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == here.dependencies["."].read_bytes()


def test_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    zips = []
    for attempt in ("first", "second"):
        copy_code(tmp_path / attempt)
        zips.append(tmp_path / f"{attempt}.zip")
        write_zip(tmp_path / attempt, zips[-1])

    assert zips[0].read_bytes() == zips[1].read_bytes()


def test_an_unchanged_set_is_not_built_again(here: Bundles) -> None:
    before = {path: path.stat().st_mtime_ns for path in here.dependencies.values()}

    again = build_bundles(host())

    assert again.dependencies == here.dependencies
    assert {path: path.stat().st_mtime_ns for path in again.dependencies.values()} == before


def test_another_pin_or_another_target_is_another_bundle(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("six==1.17.0\n")
    first = dependency_key(requirements, LAMBDA)
    requirements.write_text("six==1.16.0\n")

    assert dependency_key(requirements, LAMBDA) != first
    assert dependency_key(requirements, LAMBDA) != dependency_key(requirements, host())


def test_a_pin_without_its_hash_is_refused(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("six==1.17.0\n")

    with pytest.raises(subprocess.CalledProcessError):
        install(requirements, host(), tmp_path)


def test_the_context_chooses_the_target_by_name() -> None:
    assert target_named("lambda") == LAMBDA
    assert target_named("host") == host()


def test_an_unknown_target_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="bundle=lambda to deploy, or bundle=host"):
        target_named("laptop")


def test_another_python_than_lambdas_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.packaging.target.running_python", lambda: "3.14")

    with pytest.raises(ValueError, match=r"needs Python 3\.11, this is 3\.14"):
        target_named("lambda")
    assert running_python() != "3.14"
