"""The end a scheduler asks for, SIGTERM or SIGUSR1, heard without losing work.

Where nothing is trained, a notice ends the work where it stands: results are written
whole or not at all. Training holds the notice back until its step is done and its
checkpoint written; one of several hosts holds it back until all of them are asked.
"""

import os
import signal
import sys
import threading
import time
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
    dropped: bool = False
    repeats: bool = False
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


def hold() -> None:
    """Holds notices back from now on, as what is done here is done with other hosts.

    One that left alone would leave the others waiting; `training.agreement` ends all.
    """
    if _ear.listens:
        listen()
    _ear.deferrals += 1


def heard() -> str:
    """Returns the name of the signal that has asked for the end, "" before."""
    return _ear.heard


@contextmanager
def deferred() -> Iterator[Callable[[int], bool]]:
    """Holds notices back while the block runs.

    Yields:
      `should_stop`, a function of the step: whether a notice has come.

    Raises:
      Stopped: The block has ended, a notice came meanwhile, and nothing else holds it.
    """
    if _ear.listens:
        listen()
    _ear.deferrals += 1
    try:
        yield lambda step: bool(_ear.heard)
    finally:
        _ear.deferrals -= 1
    if _ear.heard and not _ear.deferrals:
        raise Stopped(f"{_ear.heard} came.")


def _hear(number: int, frame: FrameType | None) -> None:
    """Notes a signal; ends the work at once where that is allowed."""
    del frame
    _ear.heard = signal.Signals(number).name
    if _ear.repeats:
        return  # would be dropped again; it comes once more
    _ear.dropped = False
    if not _ear.deferrals:
        raise Stopped(f"{_ear.heard} came.")


def _unless_lost(unraisable: Any) -> None:
    """Repeats a notice that came where Python drops exceptions, in a `__del__` say."""
    if not isinstance(unraisable.exc_value, Stopped):
        _ear.unraisable(unraisable)
        return
    _ear.dropped = _ear.repeats = True
    threading.Thread(target=_repeat, args=(_ear.heard,), daemon=True).start()
    _ear.repeats = False


def _repeat(notice: str) -> None:
    """Sends this process a notice until it was heard where it counts."""
    time.sleep(_AGAIN_SECONDS)
    while _ear.dropped:
        os.kill(os.getpid(), signal.Signals[notice])
        time.sleep(max(_AGAIN_SECONDS, 0.05))
