"""One run in a process of its own, with its log beside its results."""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from qpm_jax.phases.workdir import is_done
from qpm_jax.sweeps.commands import pipeline_arguments
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep

LOG = "output.log"
GRACE = 60.0  # seconds in which a run that is told to end may write a checkpoint
_BEGINNING = "$ "  # of the line in a log that names the command
_LAST_LINES = 5


class BusyError(RuntimeError):
    """Another process makes this run at the moment."""


def is_finished(sweep: Sweep, run: Run) -> bool:
    """Whether a run has all its phases."""
    return is_done(sweep.folder(run), sweep.until)


@contextmanager
def locked(sweep: Sweep, run: Run) -> Iterator[int]:
    """Keeps all other processes from making a run or handing phases to it.

    Yields:
      The lock's file; a process that inherits it holds the lock to its own end.

    Raises:
      BusyError: Another process makes this run, perhaps of a sweep that was killed.
    """
    folder = sweep.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError("another process makes this run at the moment") from error
        yield lock.fileno()


def start(
    sweep: Sweep,
    run: Run,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], object] = lambda: None,
) -> "subprocess.Popen[bytes]":
    """Starts a run; what it prints is appended to `output.log` in its folder.

    Args:
      sweep: The sweep.
      run: One of its runs.
      environment: Variables besides our own.
      before: Done first, while nobody else can make the run.

    Raises:
      BusyError: Another process makes this run, perhaps of a sweep that was killed.
    """
    command = [sys.executable, *pipeline_arguments(sweep, run)]
    # The process inherits the lock and holds it to its end, come what may.
    with locked(sweep, run) as lock, (sweep.folder(run) / LOG).open("ab") as log:
        before()
        log.write(f"{_BEGINNING}{shlex.join(command)}\n".encode())
        log.flush()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONUNBUFFERED": "1",
                **(environment or {}),
            },
            start_new_session=True,  # Ctrl-C is for the parent, who ends it in order
        )


def end(*children: "subprocess.Popen[bytes]", grace: float = GRACE) -> None:
    """Tells processes to end, waits for their checkpoints, and kills who stays."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + grace
    try:
        for child in children:
            child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass
    finally:  # also where somebody presses Ctrl-C again
        for child in children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def last_words(folder: Path) -> str:
    """Returns the last lines a run printed in its last attempt; empty: it never ran."""
    path = folder / LOG
    if not path.exists():
        return ""
    text = path.read_text(errors="replace").replace("\r", "\n")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    begun = [n for n, line in enumerate(lines) if line.startswith(_BEGINNING)]
    attempt = lines[begun[-1] + 1 :] if begun else lines
    return "\n".join(attempt[-_LAST_LINES:]) or "(it printed nothing)"
