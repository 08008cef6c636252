"""One synthesis for all tests, as one-machine mode runs it: `python app.py` with nothing in the environment to help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging.bundles import ROOT
from tests.infra.template import Template


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly for this machine, made without credentials, an account, a region, or Node on the path."""
    folder = tmp_path_factory.mktemp("assembly")
    environment = {
        "CDK_CONTEXT_JSON": '{"bundle": "host"}',
        "CDK_OUTDIR": str(folder),
        "HOME": os.environ.get("HOME", str(folder)),
        "PATH": str(folder),
    }
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, check=True)
    return folder


@pytest.fixture(scope="session")
def data(assembly: Path) -> Template:
    return Template(assembly / "SkysagaData.template.json")


@pytest.fixture(scope="session")
def saga(assembly: Path) -> Template:
    return Template(assembly / "SkysagaSaga.template.json")


@pytest.fixture(scope="session")
def guard(assembly: Path) -> Template:
    return Template(assembly / "SkysagaGuard.template.json")


@pytest.fixture(scope="session")
def api(assembly: Path) -> Template:
    return Template(assembly / "SkysagaApi.template.json")
