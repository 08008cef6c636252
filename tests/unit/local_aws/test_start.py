"""What a machine does without until somebody asks: to import it takes longer than the machine has to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

from local.later import Later, LaterApplication

LATER = {
    "moto.apigateway",  # the older one, and with it a validator of OpenAPI documents
    "moto.cloudformation",  # of which nothing is used, and which imports everything
    "openapi_spec_validator",
    "psrpcore",  # what the simulated VMM server is made of
    "pyVmomi",  # the simulated vCenter
    "spnego",
}
IMPORTED = "import sys, local.__main__, local.aws.preload; local.aws.preload.preload(); print(*sys.modules)"


def test_a_machine_starts_without_what_it_needs_later() -> None:
    ran = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", IMPORTED],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(ran.stdout.split())

    assert {"moto.dynamodb", "moto.ec2.models", "moto.ssm"} <= loaded
    assert not loaded & LATER


def test_what_is_made_later_is_made_once_by_whoever_asks_first() -> None:
    made: list[object] = []
    together = Barrier(4)

    def make() -> object:
        made.append(object())
        return made[-1]

    later = Later(make)
    found: list[object] = []

    def ask() -> None:
        together.wait()
        found.append(later())

    threads = [Thread(target=ask) for _ in range(4)]
    assert not made
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    assert len(made) == 1
    assert found == made * 4


def test_an_application_is_made_by_its_first_request() -> None:
    made: list[str] = []

    def make() -> LaterApplication:
        made.append("made")
        return lambda environ, start_response: [environ["PATH_INFO"].encode()]  # type: ignore[return-value]

    application = LaterApplication(Later(make))
    assert not made
    answers = [list(application({"PATH_INFO": path}, lambda *_: lambda _: None)) for path in ("/a", "/b")]
    assert answers == [[b"/a"], [b"/b"]]
    assert made == ["made"]
