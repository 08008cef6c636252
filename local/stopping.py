"""How a program of this package waits until it is interrupted or terminated."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def on_interrupt() -> Callable[[], None]:
    """Have this process take SIGINT and SIGTERM as a wish that it ends; what is returned waits until one has come.

    For the main thread, once. The signal itself writes what is waited for: Python calls a handler only between two of
    its steps, so one that came as a wait began would wake nobody, and one that came inside of it could wait for itself.
    """
    come, comes = os.pipe()
    os.set_blocking(comes, False)
    signal.set_wakeup_fd(comes, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(come, 1)

    return wait
