"""Processes that have imported what workers begin with, and from which workers are forked.

On AWS, every sandbox imports the whole handler for itself. On one machine, where all functions share a few cores, that
would be most of what a start takes. So workers of one code and one handler's module are forked from a process that has
imported it, where all that the import read of the environment is the same for them. What a module does when it is
imported, it does once for all of them, as with SnapStart. Where that is not possible (it starts threads, it fails, it
does not end), each worker imports it anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from local.lambda_runtime.bootstrap import LONGEST_MESSAGE, TOLD

INIT_SECONDS = 10
"""What Lambda gives initialization and, if they pass, once more the function's timeout."""

_BOOTSTRAP: Final = Path(__file__).with_name("bootstrap.py")


class TemplateGone(Exception):
    """The process did not come as far as forking, or has ended."""


class WorkerProcess:
    """A process that was forked from a template: like subprocess's, and its lifeline, which ends it when it is closed.

    It leads a group of its own, with everything that it starts. `output` is what it prints and does not block.
    """

    def __init__(self, lifeline: int, output: int, told: int) -> None:
        self._lifeline: int | None = lifeline
        self._told = cast(IO[bytes], os.fdopen(told, "rb", buffering=0))
        self._poll = select.poll()
        self._poll.register(told, select.POLLIN)
        self.output = cast(IO[bytes], os.fdopen(output, "rb", buffering=0))
        self._exit_code: int | None = None
        begun = self._told.read(TOLD.size)
        if not begun:
            self.close()
            raise TemplateGone
        self.pid: int = TOLD.unpack(begun)[0]
        os.set_blocking(output, False)

    def poll(self) -> int | None:
        """The exit code, negative for a signal's; None while it runs."""
        return self.wait(0)

    def wait(self, seconds: float) -> int | None:
        """The same, after so long at most."""
        if self._exit_code is None and self._poll.poll(seconds * 1000):
            return self.exit_code()
        return self._exit_code

    def exit_code(self) -> int:
        """The same, however long it takes."""
        if self._exit_code is None:
            ended = self._told.read(TOLD.size)
            if not ended:  # the template has been killed
                self.kill()
            self._exit_code = int(TOLD.unpack(ended)[0]) if ended else -signal.SIGKILL
        return self._exit_code

    def kill(self) -> None:
        """SIGKILL it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:  # it was forked just now, and leads no group yet: it has started nothing
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give everything back, once."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        self.output.close()
        self._told.close()


class Beginning(NamedTuple):
    """What workers begin with: the runtime's packages, a module with handlers, and how much they yield to others."""

    runtime_packages: str
    task_root: str
    search_path: str
    module: str
    niceness: int


class Template:
    """One such process. Raises TemplateGone if it is not ready to fork in time; `later` leaves importing to workers."""

    def __init__(self, beginning: Beginning, environment: Mapping[str, str], *, later: bool) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - runs what is deployed, which is the point
                [
                    *(sys.executable, "-S", "-P", str(_BOOTSTRAP), beginning.runtime_packages),
                    *(beginning.module, str(theirs.fileno()), "later" if later else "first"),
                ],
                cwd=beginning.task_root,
                env={**environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        if beginning.niceness > os.nice(0):  # it has ours, and nobody may have less than that
            os.setpriority(os.PRIO_PROCESS, self._process.pid, beginning.niceness)
        try:
            self._read = self._prepared()
        except TemplateGone:
            self.kill()
            raise

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Whether importing with these variables would have read the same."""
        return all(environment.get(name) == self._environment.get(name) for name in self._read)

    def fork(self, environment: Mapping[str, str]) -> WorkerProcess:
        """A worker with these variables. Raises TemplateGone."""
        message = json.dumps(dict(environment)).encode()
        lifeline, our_lifeline = os.pipe()
        our_output, output = os.pipe()
        our_told, told = os.pipe()
        given = [lifeline, output, told]
        try:
            with self._lock, contextlib.suppress(OSError):  # then nobody has what is read below
                socket.send_fds(self._control, [message], given)
        finally:
            for descriptor in given:
                os.close(descriptor)
        return WorkerProcess(our_lifeline, our_output, our_told)

    def leave(self) -> None:
        """Fork nothing any more; it ends with the last of its workers."""
        self._control.close()

    def kill(self) -> None:
        """Kill the process and wait until it is gone; its workers are not touched."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        cast(IO[bytes], self._process.stdin).close()

    @property
    def gone(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def _prepared(self) -> list[str]:
        self._control.settimeout(INIT_SECONDS)
        try:
            message = self._control.recv(LONGEST_MESSAGE)
        except OSError:
            message = b""
        self._control.settimeout(None)
        read = json.loads(message or b"null")
        if read is None:
            raise TemplateGone
        return cast(list[str], read)


class Templates:
    """The templates of one runtime, each made when its first worker is wanted; thread-safe.

    Where they are not to be `sharing`, workers import everything themselves, as on AWS.
    """

    def __init__(self, *, sharing: bool = True) -> None:
        self._sharing = sharing
        self._lock = threading.Lock()
        self._making: defaultdict[Beginning, threading.Lock] = defaultdict(threading.Lock)
        self._made: defaultdict[Beginning, list[Template]] = defaultdict(list)
        self._not_shared: set[Beginning] = set()
        self._used: dict[str, Template] = {}
        self._leaving: list[Template] = []

    def fork(self, function: str, beginning: Beginning, environment: Mapping[str, str]) -> WorkerProcess:
        """A worker for a function, by its name. Raises TemplateGone where not even an interpreter starts."""
        template = self._template(function, beginning, environment)
        try:
            return template.fork(environment)
        except TemplateGone:  # it was killed from outside, or has been told to leave since
            self._forget(template)
        return self._template(function, beginning, environment).fork(environment)

    def close(self) -> None:
        """Kill all of them and return when they are gone."""
        with self._lock:
            made, self._made = self._made, defaultdict(list)
            leaving, self._leaving = self._leaving, []
        for template in [*(it for some in made.values() for it in some), *leaving]:
            template.kill()

    def _template(self, function: str, beginning: Beginning, environment: Mapping[str, str]) -> Template:
        with self._lock:
            making = self._making[beginning]
        with making:
            template = self._found(beginning, environment) or self._make(beginning, environment)
        self._use(function, template)
        return template

    def _found(self, beginning: Beginning, environment: Mapping[str, str]) -> Template | None:
        with self._lock:
            return next((it for it in self._made[beginning] if it.suits(environment)), None)

    def _make(self, beginning: Beginning, environment: Mapping[str, str]) -> Template:
        later = not self._sharing or beginning in self._not_shared
        try:
            template = Template(beginning, environment, later=later)
        except TemplateGone:
            if later:
                raise
            self._not_shared.add(beginning)
            template = Template(beginning, environment, later=True)
        with self._lock:
            self._made[beginning].append(template)
        return template

    def _use(self, function: str, template: Template) -> None:
        """Let the one that the function had before leave, if no other function has it."""
        with self._lock:
            before = self._used.get(function)
            self._used[function] = template
            if before is not None and before not in self._used.values():
                self._let_leave(before)

    def _forget(self, template: Template) -> None:
        with self._lock:
            self._used = {function: it for function, it in self._used.items() if it is not template}
            self._let_leave(template)

    def _let_leave(self, template: Template) -> None:
        for made in self._made.values():
            if template in made:
                made.remove(template)
        template.leave()
        gone = [it for it in self._leaving if it.gone]
        for it in gone:
            it.kill()
        self._leaving = [it for it in {*self._leaving, template} if it not in gone]
