"""What a worker process runs: `python -S -P bootstrap.py RUNTIME_PACKAGES HANDLER`, with a pipe as standard input.

It imports nothing of the project, because only the bundle, its layers and Lambda's own packages are on its path.
"""

import fcntl
import os
import select
import signal
import sys


def die_with_parent() -> None:
    """Have the kernel kill this process group when the other end of standard input closes, however that happens.

    PR_SET_PDEATHSIG would follow the thread that started the worker rather than its process, and would spare the
    processes that a handler starts.
    """
    lifeline = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # A parent that was gone before the line above sends no signal any more.
    if select.select([lifeline], [], [], 0)[0]:
        os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Hand over to AWS's runtime client, which asks AWS_LAMBDA_RUNTIME_API for events until it is killed."""
    runtime_packages, handler = sys.argv[1:3]
    die_with_parent()
    if runtime_packages not in sys.path:
        sys.path.append(runtime_packages)
    sys.argv = [sys.argv[0], handler]
    from awslambdaric.__main__ import main as run_runtime_client  # noqa: PLC0415 - found through the line above

    run_runtime_client(sys.argv)


if __name__ == "__main__":
    main()
