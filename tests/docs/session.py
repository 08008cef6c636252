"""A page that is typed: its shell commands one after the other into one shell, and what it shows of their output."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Final, NamedTuple, Self

from tests.docs.markdown import Block

SHELL: Final = frozenset({"", "sh"})
OUTPUT: Final = "text"
PATIENCE_SECONDS: Final = 90.0
_LEFT_OUT: Final = "..."
_SAGA: Final = re.compile(r"\bs(?=[a-z]*[0-9])[0-9a-z]{15}\b")
_SUBMITS: Final = re.compile(r"\bapply\b|--data-binary\b")
_SAGA_HERE: Final = re.compile(r"\bSAGA\b")
_VARYING: Final = (
    (_SAGA, "SAGA"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?Z?\b"), "TIME"),
    (re.compile(r"\b(i|vol)-[0-9a-f]{8,17}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? ?s\b"), "N s"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"[ \t]+"), " "),
)


class NotAsShown(AssertionError):
    """A page says something else than what happens; the message has both."""


class Typed(NamedTuple):
    """Commands to type, and the lines of output that their page shows, if any; `line` is where they stand there."""

    commands: Sequence[str]
    shown: Sequence[str] | None
    line: int


def typed(blocks: Sequence[Block]) -> list[Typed]:
    """What is to be typed of a page, in order."""
    return list(_typed(blocks))


def _typed(blocks: Sequence[Block]) -> Iterator[Typed]:
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block.language in SHELL:
            shown = following.text.splitlines() if following and following.language == OUTPUT else None
            yield Typed(_commands(block.text), shown, block.line)


def _commands(text: str) -> list[str]:
    """One for each line, but for lines that go on in the next one."""
    joined = text.replace("\\\n", " ")
    return [stripped for line in joined.splitlines() if (stripped := line.partition("  #")[0].strip())]


class Shell:
    """A shell in a folder, with some variables in its environment, as long as the context lasts.

    `SAGA` in what is typed stands for the id of the saga that was last heard of.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SKYSAGA_"))}
        self._process = subprocess.Popen(
            ["/bin/bash", "--norc"],
            cwd=folder,
            env={**inherited, "NO_COLOR": "1", **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._saga = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def type(self, command: str) -> str:
        """What is said until the command is done; raises NotAsShown for one that does not come to an end."""
        assert self._process.stdin is not None
        end = f"end-{uuid.uuid4()}"
        known = _SAGA_HERE.sub(self._saga or "SAGA", command)
        self._process.stdin.write(f"{known}\necho; echo {end}\n")
        self._process.stdin.flush()
        watchdog = Timer(PATIENCE_SECONDS, self._process.kill)
        watchdog.start()
        said = list(self._until(f"{end}\n"))
        watchdog.cancel()
        output = "".join(said)
        if self._process.poll() is not None:
            raise NotAsShown(f"{known} does not come to an end:\n{output}")
        if _SUBMITS.search(command) and (saga := _SAGA.search(output)):
            self._saga = saga[0]
        return output

    def _until(self, end: str) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == end:
                return
            yield line


def compare(step: Typed, output: str) -> None:
    """Raise NotAsShown unless the output has the lines that are shown, in their order.

    A line of "..." stands for any lines, and "..." in a line for anything; ids, times and durations are not compared.
    """
    if step.shown is None:
        return
    left = [_plain(line) for line in output.splitlines()]
    for shown in filter(None, (_plain(line) for line in step.shown)):
        if shown == _LEFT_OUT:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in shown.split(_LEFT_OUT)))
        found = next((place for place, line in enumerate(left) if pattern.fullmatch(line)), None)
        if found is None:
            raise NotAsShown(f"line {step.line}: {step.commands} shows {shown!r}, but what came was\n{output}")
        left = left[found + 1 :]


def _plain(line: str) -> str:
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return line.strip()
