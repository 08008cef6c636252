"""What bundles share: made once, linked to, and never written through to what the installer keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from infra.packaging.bundles import CODE
from infra.packaging.parts import PartsDiffer, link_into, make_part, pins_of
from infra.packaging.target import running_python

REWRITTEN = {"google-cloud-compute": "google/cloud/compute_v1", "botocore": "botocore/data/ec2"}


def pin_of(package: str) -> str:
    requirements = (CODE / "gcp" / "requirements.txt").read_text()
    return next(it for it in pins_of(requirements) if it.startswith(f"{package}=="))


def test_pins_come_one_by_one_with_markers_and_hashes() -> None:
    text = (
        "# made by a tool\nsix==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\n"
        "cffi==2 ; x > '1' \\\n    --hash=sha256:cc\n"
    )

    assert list(pins_of(text)) == [
        "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb",
        "cffi==2 ; x > '1' \\\n    --hash=sha256:cc",
    ]


def test_every_pin_of_every_function_is_among_its_parts() -> None:
    for path in CODE.rglob("requirements.txt"):
        text = path.read_text()
        assert "\n".join(pins_of(text)).split() == text.split()


@pytest.mark.parametrize("package", REWRITTEN)
def test_a_part_is_made_without_writing_into_what_the_installer_keeps(tmp_path: Path, package: str) -> None:
    requirements, installed = tmp_path / "requirements.txt", tmp_path / "installed"
    requirements.write_text(pin_of(package) + "\n")
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(installed)]
    linked = ["--link-mode", "hardlink", "--no-deps", "--require-hashes", "-r", str(requirements)]
    subprocess.run([*command, *linked], check=True)  # noqa: S603 -- the packaged uv
    rewritten = installed / REWRITTEN[package]
    before = {path: path.read_bytes() for path in rewritten.rglob("*") if path.is_file()}
    (tmp_path / "making").mkdir()

    make_part(pin_of(package), None, running_python(), tmp_path / "making" / "part")

    made = {
        path.relative_to(installed): tmp_path / "making" / "part" / "python" / path.relative_to(installed)
        for path in before
    }
    assert {path: path.read_bytes() for path in before} == before
    assert any(it.exists() and it.read_bytes() != before[installed / path] for path, it in made.items())


def test_a_bundle_has_links_to_its_parts(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / f"{name}.py").write_text(name)
        (tmp_path / name / "python" / "shared.py").write_text("")

    for name in ("one", "other"):
        link_into(tmp_path / name, tmp_path / "bundle")

    assert sorted(os.listdir(tmp_path / "bundle" / "python")) == ["one.py", "other.py", "shared.py"]
    assert (tmp_path / "bundle" / "python" / "one.py").samefile(tmp_path / "one" / "python" / "one.py")


def test_two_packages_with_another_file_of_the_same_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shared.py").write_text(name)
    link_into(tmp_path / "one", tmp_path / "bundle")

    with pytest.raises(PartsDiffer, match=r"shared\.py"):
        link_into(tmp_path / "other", tmp_path / "bundle")
