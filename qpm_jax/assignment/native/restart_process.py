"""The process in which one restart of the native solver runs: a problem in, news out.

Started by `restarts`; both directions are pickles.
"""

import os
import pickle
import signal
import sys
import threading
import time
from typing import Any, BinaryIO

# Restarts share an accelerator: none may reserve most of its memory at its start.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

from qpm_jax.assignment.native.solver import solve_native
from qpm_jax.private_output import private_output


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Reads a problem, the time by which to end and the options, and solves it."""
    problem, ends, options = pickle.load(source)

    def send(kind: str, content: Any) -> None:
        pickle.dump((kind, content), target)
        target.flush()

    # Asked to end, it does so between two rounds and nowhere else: no answer is lost.
    asked = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: asked.set())

    def report(objective: float, bound: float, _: float) -> None:
        send("news", (objective, bound))
        if asked.is_set():
            raise KeyboardInterrupt

    # By the clock that processes share: it has run on while this one was started.
    seconds = max(0.0, ends - time.time())
    send("answer", solve_native(problem, seconds, progress=report, **options))


if __name__ == "__main__":
    main(sys.stdin.buffer, private_output())
