"""The synthesized templates: made by `app.py`, and made again only when something they are made from has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from local.billing import declared
from local.private_clouds import DECLARED

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".local"

_INPUTS = ("app.py", "cdk.json", "requirements.txt", "infra", "lambdas", "statemachines")
_ACCOUNT_ID: Final = "123456789012"
"""moto's, which takes a second to import."""

PROJECT: Final = "skysaga-local"
SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000001"
ANOTHER_ACCOUNT_ID: Final = "210987654321"
ELSEWHERE: Final = "elsewhere"
"""A second target on each cloud, which nobody is granted at first."""

_CONTEXT = {
    "bundle": "host",
    "azure_subscription_id": SUBSCRIPTION,
    "google_cloud_project": PROJECT,
    "targets": {
        "aws": {ELSEWHERE: {"role_arn": f"arn:aws:iam::{ANOTHER_ACCOUNT_ID}:role/skysaga-target"}},
        "azure": {ELSEWHERE: {"subscription_id": "00000000-0000-0000-0000-000000000002"}},
        "gcp": {ELSEWHERE: {"project": "skysaga-elsewhere"}},
    },
    "private_clouds": DECLARED,
    "billing": declared(_ACCOUNT_ID, SUBSCRIPTION, PROJECT),
}


class SynthesisFailed(Exception):
    """The stacks could not be synthesized; the message is what the synthesis said last."""


def synthesize() -> Path:
    """The folder of a cloud assembly for this machine, from the cache when nothing has changed.

    One process synthesizes at a time; whoever waited finds the result. Older assemblies are removed.
    """
    assembly = STATE / "assemblies" / _digest()
    assembly.parent.mkdir(parents=True, exist_ok=True)
    with (assembly.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (assembly / "manifest.json").exists():
            for old in assembly.parent.glob("[!.]*"):
                shutil.rmtree(old)
            staging = assembly.with_suffix(".staging")
            synthesize_into(staging)
            staging.replace(assembly)
    return assembly


def synthesize_into(folder: Path, context: Mapping[str, object] = MappingProxyType(_CONTEXT)) -> None:
    """Synthesize into a folder, with this machine's context or another; raises SynthesisFailed."""
    environ = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(dict(context)),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    outcome = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if outcome.returncode != 0:
        raise SynthesisFailed("\n".join(outcome.stderr.splitlines()[-20:]))


def _digest() -> str:
    digest = hashlib.sha256(json.dumps([_CONTEXT, sys.version]).encode())
    for path in _files():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files() -> Iterator[Path]:
    for name in _INPUTS:
        path = ROOT / name
        if path.is_file():
            yield path
        else:
            yield from sorted(it for it in path.rglob("*") if it.is_file() and it.suffix != ".pyc")
