"""The process in which HiGHS solves a large program: the program in, news out.

Started by `highs_apart`; both directions are pickles.
"""

import os
import pickle
import sys
import threading
import time
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from qpm_jax.private_output import private_output
from qpm_jax.solvers import highs

_SECONDS_BETWEEN = 0.1


class Sender:
    """Writes news, incumbents always and bounds a few times a second.

    HiGHS calls back from a thread of its own, hence the lock.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Args: where to write."""
        self._stream = stream
        self._lock = threading.Lock()
        self._told = -np.inf

    def hear(self, objective: float, bound: float) -> bool:
        """A `Listener` that never asks for an end: the process is ended instead."""
        if time.perf_counter() - self._told >= _SECONDS_BETWEEN:
            self._told = time.perf_counter()
            self.send("news", (float(objective), float(bound)))
        return False

    def keep(self, values: np.ndarray) -> bool:
        """A `Keeper` that never asks for an end."""
        self.send("values", values)
        return False

    def send(self, kind: str, content: Any) -> None:
        """Writes one piece of news."""
        with self._lock:
            try:
                pickle.dump((kind, content), self._stream)
                self._stream.flush()
            except BrokenPipeError:
                os._exit(1)  # the parent is gone; an exception must not cross HiGHS


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Reads a program, its options and the `time.time` to end at, and solves it."""
    sender = Sender(target)
    program, options, ends = pickle.load(source)
    deadline = time.perf_counter() + ends - time.time()
    options = replace(
        options, deadline=deadline, listener=sender.hear, keeper=sender.keep
    )
    sender.send("answer", highs.run_here(program, options))


if __name__ == "__main__":
    main(sys.stdin.buffer, private_output())
