"""The audit of what is pinned, by the real pip-audit against a database of ours: it can fail, and says when it cannot.

Protocol: https://google.github.io/osv.dev/post-v1-query/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from checks.vulnerabilities import KNOWN_BAD, Database, NoAnswer, audit, main

FLAWED = "left-pad"
NOBODY = "http://127.0.0.1:9"


class Osv(ThreadingHTTPServer):
    """Knows of flaws by package name, and counts what it is asked; says nothing at all once `patience` is used up."""

    daemon_threads = True

    def __init__(self, flaws: dict[str, str], patience: int = 1000) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.flaws = flaws
        self.patience = patience

    @property
    def database(self) -> Database:
        return Database("ours", ("-s", "osv", "--osv-url", f"http://127.0.0.1:{self.server_port}/v1/query"))


class _Answer(BaseHTTPRequestHandler):
    server: Osv

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.patience -= 1
        if self.server.patience < 0:
            self.send_error(503)
            return
        name = asked["package"]["name"]
        body = json.dumps({"vulns": [_flaw(name, self.server.flaws[name])]} if name in self.server.flaws else {})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _flaw(package: str, id_: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "99.0"}]
    affected = {
        "package": {"name": package, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": ["1.0"],
    }
    return {"id": id_, "summary": "made up", "published": "2021-02-01T20:15:00Z", "aliases": [], "affected": [affected]}


@pytest.fixture(name="osv")
def _osv() -> Iterator[Osv]:
    server = Osv({KNOWN_BAD.partition("==")[0]: "PYSEC-2021-66", FLAWED: "PYSEC-2099-1"})
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def locked(folder: Path, *pins: str) -> list[Path]:
    lock = folder / "requirements.txt"
    lock.write_text("".join(f"{pin}\n" for pin in pins))
    return [lock]


def test_a_known_vulnerability_fails_and_says_which_version_to_take(
    osv: Osv, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([osv.database], locked(tmp_path, "sound==1.0", f"{FLAWED}==1.0")) == 1
    assert capsys.readouterr().err == f"{FLAWED} 1.0: PYSEC-2099-1; take 99.0\n"


def test_what_has_none_passes(osv: Osv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([osv.database], locked(tmp_path, "sound==1.0")) == 0
    assert capsys.readouterr().out == "no known vulnerability in what is pinned (ours)\n"


def test_a_database_that_does_not_know_what_is_known_to_be_bad_is_not_believed(
    osv: Osv, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.flaws = {}

    assert main([osv.database], locked(tmp_path, "sound==1.0")) == 0
    assert "NOT CHECKED" in capsys.readouterr().err


def test_one_that_stops_answering_is_no_clean_bill(osv: Osv, tmp_path: Path) -> None:
    osv.patience = 0

    with pytest.raises(NoAnswer):
        audit(osv.database, locked(tmp_path, f"{FLAWED}==1.0"))


def test_where_nobody_answers_it_fails_if_it_has_to_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT", "required")

    assert main([Database("away", ("-s", "osv", "--osv-url", NOBODY))], locked(tmp_path, "sound==1.0")) == 1
    assert "NOT CHECKED for known vulnerabilities: nobody answers: away" in capsys.readouterr().err
