"""Python in a process of its own, heard until its time is over and then ended.

For solvers that look at the clock seldom or hold the interpreter. Both directions are
pickles: one message in, any number of pieces of news out.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

_END = object()


@dataclass(frozen=True)
class Child:
    """A process that runs.

    Attributes:
        hear: from seconds to the next object pickled to its standard output, None where
            none came in time. It raises RuntimeError, with the process's last words,
            once the process has ended and all its news are heard.
        interrupt: asks it to end, as Ctrl-C would; what it says then can be heard.
    """

    hear: Callable[[float], Any]
    interrupt: Callable[[], None]


@contextlib.contextmanager
def child(name: str, command: Sequence[str], message: Any) -> Iterator[Child]:
    """Starts Python, hands a message over, and ends it when the block is left.

    Args:
        name: what an error calls it.
        command: arguments of the interpreter.
        message: what the process finds pickled in its standard input.

    Yields:
        The process.
    """
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the parent alone
        )
        news: queue.Queue[Any] = queue.Queue()
        thread = threading.Thread(target=_exchange, args=(process, message, news))
        thread.start()

        def hear(seconds: float) -> Any:
            try:
                longest = threading.TIMEOUT_MAX
                item = news.get(timeout=min(max(0.0, seconds), longest))
            except queue.Empty:
                return None
            if item is _END:
                raise RuntimeError(f"{name} failed: {_last_words(process, words)}")
            return item

        try:
            yield Child(hear, lambda: process.send_signal(signal.SIGINT))
        finally:
            process.kill()
            process.wait()
            thread.join()


def _exchange(
    process: subprocess.Popen[bytes], message: Any, news: "queue.Queue[Any]"
) -> None:
    """Hands the message over and passes news on, `_END` after the last."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, contextlib.suppress(Exception):
        # A process that fails at once takes nothing; its last words say why.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            pickle.dump(message, process.stdin)
        while True:  # until its end, or what is no pickle, which fails in many ways
            news.put(pickle.load(process.stdout))
    process.kill()
    news.put(_END)


def _last_words(process: subprocess.Popen[bytes], words: BinaryIO) -> str:
    status = process.wait()
    words.seek(0)
    lines = words.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {status}"
