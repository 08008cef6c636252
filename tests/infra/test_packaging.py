"""The bundles: whole, reproducible, small, and importable where they run."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bench.cold import STARTS
from infra.packaging.archive import write_zip
from infra.packaging.budget import BundleTooLarge, check_size, unzipped
from infra.packaging.bundles import CODE, Bundles, build_bundles, copy_code, dependency_key, install
from infra.packaging.compute import SERVICES as COMPUTE_SERVICES
from infra.packaging.pruning import AWS_SERVICES
from infra.packaging.target import LAMBDA, host, running_python, target_named
from tests.infra.template import Template

AMAZON_LINUX_2 = {"GLIBC": (2, 26), "GLIBCXX": (3, 4, 24)}
AARCH64 = 183  # e_machine of an ELF file, from the processor supplement of the ELF specification

FUNCTIONS = {module: start.requirements for module, start in STARTS.items()}


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
    made = {name for path in CODE.rglob("*.py") for name in re.findall(r'client\("([a-z0-9-]+)"', path.read_text())}

    assert {"dynamodb", "ec2", "s3", "sts"} <= made
    assert made <= AWS_SERVICES


def test_folders_with_equal_requirements_share_a_bundle(here: Bundles) -> None:
    assert here.dependencies["aws"] == here.dependencies["."]
    assert len(set(here.dependencies.values())) == 6


def test_every_function_of_the_stacks_is_among_those_tested_here(deployed: Path) -> None:
    stacks = [Template(path) for path in deployed.glob("*.template.json")]
    functions = [it for stack in stacks for it in stack.functions().values()]

    assert {it["Handler"].rpartition(".")[0] for it in functions} == set(FUNCTIONS)
    assert {len(it["Layers"]) for it in functions} == {1}


@pytest.mark.parametrize("handler", FUNCTIONS)
def test_what_a_function_unpacks_is_below_120_mb(for_lambda: Bundles, handler: str) -> None:
    assert unzipped(for_lambda.code, for_lambda.dependencies[FUNCTIONS[handler]]) < 120


def test_more_than_the_budget_fails_the_build_and_says_what_is_too_large(for_lambda: Bundles) -> None:
    with pytest.raises(BundleTooLarge, match=r"lambdas/gcp: .* are \d+ MB unzipped, the budget is 50 MB"):
        check_size("gcp", for_lambda.code, for_lambda.dependencies["gcp"], budget=50)


def test_what_no_function_loads_is_left_out(for_lambda: Bundles) -> None:
    names = {folder: zipfile.ZipFile(it).namelist() for folder, it in for_lambda.dependencies.items()}

    assert folders(names["gcp"], "python/botocore/data") == AWS_SERVICES
    assert folders(names["gcp"], "python/google/cloud/compute_v1/services") == COMPUTE_SERVICES
    assert not [name for name in names["azure"] if fnmatch(name, "python/azure/*/aio/*")]
    assert {it for it in names["vsphere"] if fnmatch(it, "python/pyVmomi/_typeinfo_*.py")} == {
        f"python/pyVmomi/_typeinfo_{it}.py" for it in ("core", "query", "vim")
    }
    for everything in names.values():
        assert not [it for it in everything if it.startswith("python/bin/") or it.endswith((".pyi", ".proto"))]


def folders(names: list[str], parent: str) -> set[str]:
    """The folders that lie in `parent`."""
    below = [name.removeprefix(f"{parent}/").split("/") for name in names if name.startswith(f"{parent}/")]
    return {path[0] for path in below if len(path) > 1} - {"__pycache__"}


def test_what_is_built_for_lambda_is_compiled_for_its_processor(for_lambda: Bundles) -> None:
    for bundle in for_lambda.dependencies.values():
        with zipfile.ZipFile(bundle) as archive:
            libraries = [name for name in archive.namelist() if name.endswith(".so")]
            machines = {struct.unpack_from("<H", archive.read(name), 18)[0] for name in libraries}
        assert machines == {AARCH64}


def test_no_library_needs_a_newer_glibc_or_libstdcxx_than_the_runtime_has(for_lambda: Bundles) -> None:
    for bundle in for_lambda.dependencies.values():
        with zipfile.ZipFile(bundle) as archive:
            for name in archive.namelist():
                if re.search(r"\.so(\.[0-9.]+)?$", name):
                    library = archive.read(name)
                    assert newest(b"GLIBC", library) <= AMAZON_LINUX_2["GLIBC"], name
                    assert newest(b"GLIBCXX", library) <= AMAZON_LINUX_2["GLIBCXX"], name


def newest(prefix: bytes, library: bytes) -> tuple[int, ...]:
    """The newest version of a system library's symbols that a library names."""
    versions = re.findall(rb"\0" + prefix + rb"_([0-9]+(?:\.[0-9]+)+)\0", library)
    return max((tuple(map(int, version.split(b"."))) for version in versions), default=(0,))


def test_every_module_comes_with_its_bytecode(for_lambda: Bundles) -> None:
    tag = sys.implementation.cache_tag
    for bundle in (for_lambda.code, *for_lambda.dependencies.values()):
        names = set(zipfile.ZipFile(bundle).namelist())
        for source in (Path(name) for name in names if name.endswith(".py")):
            assert str(source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc") in names


def test_the_code_is_our_package_and_the_console_without_what_only_builds_it(for_lambda: Bundles) -> None:
    names = zipfile.ZipFile(for_lambda.code).namelist()

    assert "lambdas/__init__.py" in names
    assert "console/index.html" in names
    assert all(name.startswith(("lambdas/", "console/")) for name in names)
    assert not [name for name in names if "requirements" in name]


def test_the_same_requirements_give_the_same_bytes(here: Bundles, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()

    install(CODE / "requirements.txt", host(), again)
    write_zip(again, tmp_path / "again.zip", host().compression)

    assert (tmp_path / "again.zip").read_bytes() == here.dependencies["."].read_bytes()


def test_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    zips = []
    for attempt in ("first", "second"):
        copy_code(tmp_path / attempt)
        zips.append(tmp_path / f"{attempt}.zip")
        write_zip(tmp_path / attempt, zips[-1], LAMBDA.compression)

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


def test_a_new_pin_of_one_cloud_leaves_the_bundles_of_the_others(tmp_path: Path) -> None:
    copy = tmp_path / "lambdas"
    shutil.copytree(CODE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    keys = {path.parent.name: dependency_key(path, LAMBDA) for path in CODE.rglob("requirements.txt")}
    pins = copy / "azure" / "requirements.txt"
    pins.write_text(pins.read_text().replace("azure-identity==", "azure-identity==9"))
    (copy / "azure" / "provider.py").write_text("# other code")

    changed = {path.parent.name: dependency_key(path, LAMBDA) for path in copy.rglob("requirements.txt")}

    assert {name for name in keys if changed[name] != keys[name]} == {"azure"}


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
