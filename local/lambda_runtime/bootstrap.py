"""What a template runs, the process that workers are forked from, and then each worker:
`python -S -P bootstrap.py RUNTIME_PACKAGES MODULE CONTROL WHEN`, with a pipe as standard input.

A template imports MODULE, where handlers are, unless WHEN is "later", and tells by the socket CONTROL what of the
environment was read meanwhile. Then it forks a worker for each message that arrives there, which begins where a fresh
interpreter would be after that import: with an environment of its own, and with AWS's runtime client to ask for events.

Nothing of the project is imported here, because only the bundle, its layers and Lambda's own packages are on its path.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Any

LONGEST_MESSAGE = 65_536
"""Lambda's variables of a function take 4 KiB, and those of a worker are not much more."""

TOLD = struct.Struct("<i")
"""What a template tells of a worker: its process id, then how it ended, as subprocess has it."""


class ReadEnvironment(dict[bytes, bytes]):
    """The process's variables, with the names of those that were looked for; every name there is, if all were."""

    def __init__(self, variables: dict[bytes, bytes]) -> None:
        super().__init__(variables)
        self.names: set[bytes] = set()

    def __getitem__(self, name: bytes) -> bytes:
        self.names.add(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[bytes]:
        self.names.update(super().__iter__())
        return super().__iter__()


def die_with_parent() -> int:
    """Have the kernel kill this process group when the other end of standard input closes, however that happens.

    That is so as long as the descriptor is open that is returned.

    PR_SET_PDEATHSIG would follow the thread that started the process rather than its process, and would spare the
    processes that a handler starts.
    """
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # A parent that was gone before the line above sends no signal any more.
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    if poll.poll(0):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return lifeline


class Template:
    """The loop of the process that workers are forked from.

    It dies when `lifeline` says so, and `printed` is what importing had to say, which each worker says again.
    """

    def __init__(self, control: socket.socket, lifeline: int, printed: bytes) -> None:
        self._control = control
        self._lifeline = lifeline
        self._printed = printed
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._tell: dict[int, int] = {}

    def serve(self) -> bool:
        """Fork as long as anybody asks for it and look after what was forked; True in each worker, at once."""
        while self._selector.get_map():
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._reap(key.fd, key.data)
                elif self._fork():
                    return True
        return False

    def _fork(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, LONGEST_MESSAGE, 3)
        if not message:
            self._selector.unregister(self._control)
            return False
        lifeline, output, tell = descriptors
        pid = os.fork()
        if pid == 0:
            os.close(tell)
            self._begin(json.loads(message), lifeline, output)
            return True
        os.close(lifeline)
        os.close(output)
        os.write(tell, TOLD.pack(pid))
        self._tell[pid] = tell
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
        return False

    def _begin(self, environment: dict[str, str], lifeline: int, output: int) -> None:
        os.setsid()
        watched = [key.fd for key in self._selector.get_map().values()]
        for of_others in (self._lifeline, *watched, *self._tell.values()):
            os.close(of_others)
        self._selector.close()
        for taken, place in ((lifeline, 0), (output, 1), (output, 2)):
            os.dup2(taken, place)
        os.close(lifeline)
        os.close(output)
        die_with_parent()
        os.environ.clear()
        os.environ.update(environment)
        os.write(1, self._printed)

    def _reap(self, watched: int, pid: int) -> None:
        self._selector.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(pid, 0)
        tell = self._tell.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
            os.write(tell, TOLD.pack(os.waitstatus_to_exitcode(status)))
        os.close(tell)


def prepare(module: str, *, later: bool) -> bytes:
    """Import what workers begin with; return what is to be told of it: the variables that it depends on, as JSON.

    `null` where it cannot be forked from, since it runs threads.
    """
    variables = os.environ._data  # type: ignore[attr-defined]
    read = os.environ._data = ReadEnvironment(variables)  # type: ignore[attr-defined]
    if not later:
        set_up_logging()
        importlib.import_module(module)
    variables.clear()  # in its place, since `os.environb` has the same
    variables.update(read.items())
    os.environ._data = variables  # type: ignore[attr-defined]
    gc.freeze()  # what is here stays, and looking through it would copy it into each worker
    gc.collect(0)  # of nothing; a module that waits for the first look before it has more of them need not wait
    alone = threading.active_count() == 1
    return json.dumps(sorted(map(os.fsdecode, read.names)) if alone else None).encode()


def set_up_logging() -> None:
    """Do what the runtime client does before it imports a handler, and have it done once.

    Its part in C++ is left to workers: it reads from the environment where events are asked for when it is loaded, and
    nobody would see that.
    """
    native, over_it = "runtime_client", "awslambdaric.lambda_runtime_client"
    sys.modules[native] = None  # type: ignore[assignment]
    client: Any = importlib.import_module("awslambdaric.bootstrap")
    for name in (native, over_it):
        del sys.modules[name]
    client._setup_logging(client._AWS_LAMBDA_LOG_FORMAT, client._AWS_LAMBDA_LOG_LEVEL, client.StandardLogSink())
    client._setup_logging = lambda *_: None


def main() -> None:
    """Be a template; in a worker, hand over to AWS's runtime client, which asks for events until it is killed."""
    runtime_packages, module, control, when = sys.argv[1:5]
    lifeline = die_with_parent()
    printed = os.memfd_create("printed")
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    if runtime_packages not in sys.path:
        sys.path.append(runtime_packages)
    asked = socket.socket(fileno=int(control))
    asked.send(prepare(module, later=when == "later"))
    sys.stdout.flush()
    sys.stderr.flush()
    said = os.pread(printed, os.fstat(printed).st_size, 0)
    os.close(printed)
    if not Template(asked, lifeline, said).serve():
        return
    asked.detach()
    from awslambdaric.__main__ import main as run_runtime_client  # noqa: PLC0415 - found by what was added above

    run_runtime_client([sys.argv[0], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
