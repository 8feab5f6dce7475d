"""The end a scheduler asks for, SIGTERM or SIGUSR1, heard without losing work.

Where nothing is trained, a notice ends the work where it stands: results are written
whole or not at all. Training holds the notice back until its step is done and its
checkpoint written.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

# What clusters send before they kill: SLURM, Kubernetes and cloud machines SIGTERM,
# SLURM with --signal=USR1 the other.
NOTICES = (signal.SIGTERM, signal.SIGUSR1)

_AGAIN_SECONDS = 0.05


class Stopped(SystemExit):
    """A run ended because it was asked to; nothing is lost. Its exit status is 0.

    Attributes:
      message: What was ended and where.
    """

    def __init__(self, message: str) -> None:
        super().__init__(0)
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass
class _Ear:
    """What this process has heard; signals belong to a process, so there is one."""

    listens: bool = False
    heard: str = ""
    deferrals: int = 0
    unraisable: Callable[[Any], object] = sys.unraisablehook


_ear = _Ear()


def listen() -> None:
    """Hears notices from now on; to be called in the main thread.

    `jax.distributed.initialize` takes SIGTERM for itself, so call this after it, too.
    """
    _ear.listens = True
    if sys.unraisablehook is not _unless_lost:
        _ear.unraisable, sys.unraisablehook = sys.unraisablehook, _unless_lost
    for notice in NOTICES:
        signal.signal(notice, _hear)


def heard() -> str:
    """Returns the name of the signal that has asked for the end, "" before."""
    return _ear.heard


@contextmanager
def deferred() -> Iterator[Callable[[int], bool]]:
    """Holds notices back while the block runs.

    Yields:
      `should_stop`, a function of the step: whether a notice has come.

    Raises:
      Stopped: The block has ended, and a notice came meanwhile.
    """
    if _ear.listens:
        listen()
    _ear.deferrals += 1
    try:
        yield lambda step: bool(_ear.heard)
    finally:
        _ear.deferrals -= 1
    if _ear.heard:
        raise Stopped(f"{_ear.heard} came.")


def _hear(number: int, frame: FrameType | None) -> None:
    """Notes a signal; ends the work at once where that is allowed."""
    del frame
    _ear.heard = signal.Signals(number).name
    if not _ear.deferrals:
        raise Stopped(f"{_ear.heard} came.")


def _unless_lost(unraisable: Any) -> None:
    """Repeats a notice that came where Python drops exceptions, in a `__del__` say."""
    if not isinstance(unraisable.exc_value, Stopped):
        _ear.unraisable(unraisable)
        return
    again = (os.getpid(), signal.Signals[_ear.heard])
    threading.Timer(_AGAIN_SECONDS, os.kill, again).start()
