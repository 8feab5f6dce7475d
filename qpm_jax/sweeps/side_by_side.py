"""Runs side by side on one machine: what is ready starts as soon as there is room."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from qpm_jax.sweeps import child
from qpm_jax.sweeps.donors import Fingerprints, take_over_best, waits_for
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep
from qpm_jax.sweeps.shares import device_environment, thread_environment

_PAUSE = 0.2  # seconds between looks at the processes

Report = Callable[[str], None]


@dataclass(frozen=True)
class Failure:
    """A run that ended without its last phase.

    Attributes:
      run: Which.
      reason: How it ended.
      words: The last lines of its log.
    """

    run: Run
    reason: str
    words: str


@dataclass(frozen=True)
class _Going:
    run: Run
    process: "subprocess.Popen[bytes]"
    started: float


@dataclass(frozen=True)
class _Board:
    """Where everything stands: runs waiting, begun, going by slot, and failed."""

    sweep: Sweep
    prints: Fingerprints
    waiting: list[Run]
    total: int
    jobs: int
    devices: Sequence[str]
    report: Report
    going: dict[int, _Going] = field(default_factory=dict)
    begun: list[Run] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def run_side_by_side(
    sweep: Sweep,
    runs: Sequence[Run],
    prints: Fingerprints,
    jobs: int = 1,
    devices: Sequence[str] = (),
    report: Report = lambda line: None,
) -> list[Failure]:
    """Makes the runs that are not finished; one that fails stops no other.

    A run waits for another that trains its first phases too, and takes them over. On
    Ctrl-C and SIGTERM the processes are told to end and waited for.

    Args:
      sweep: The sweep.
      runs: Those of its runs to make.
      prints: `donors.all_fingerprints`.
      jobs: How many runs there are at a time.
      devices: Accelerators by CUDA's numbers, shared out in turn; none: as it is.
      report: Gets a line when a run starts, ends or fails.

    Returns:
      The runs that failed.

    Raises:
      ValueError: `jobs` is not at least 1.
      KeyboardInterrupt: On Ctrl-C or SIGTERM, once all processes have ended.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; it must be at least 1.")
    waiting = [run for run in runs if not child.is_finished(sweep, run)]
    board = _Board(sweep, prints, waiting, len(waiting), jobs, devices, report)
    with _sigterm_heard():
        try:
            while board.waiting or board.going:
                _fill(board)
                time.sleep(_PAUSE)
                _reap(board)
        finally:
            child.end(*(one.process for one in board.going.values()))
    return board.failures


def _fill(board: _Board) -> None:
    """Starts what is ready while there is room."""
    ready: dict[int, Run] = {}
    for slot in sorted(set(range(board.jobs)) - board.going.keys()):
        run = _next_ready(board, ready)
        if run is None:
            break
        board.waiting.remove(run)
        ready[slot] = run
    # Known only now: how many there are at a time, if the others wait for these.
    together = len(board.going) + len(ready)
    for slot, run in ready.items():
        _start(board, slot, run, together)


def _start(board: _Board, slot: int, run: Run, together: int) -> None:
    environment = {
        **thread_environment(together, os.environ),
        **device_environment(slot, board.jobs, board.devices),
    }
    handed: list[tuple[str, tuple[str, ...]]] = []

    def take_over() -> None:
        taken = take_over_best(board.sweep, run, board.prints)
        handed.extend([taken] if taken else [])

    with _signals_held():  # a process that is not on the board would be left behind
        try:
            process = child.start(board.sweep, run, environment, take_over)
        except (OSError, child.BusyError) as error:
            _fail(board, run, str(error))
            return
        board.going[slot] = _Going(run, process, time.monotonic())
    note = "".join(f" ({', '.join(phases)} from {name})" for name, phases in handed)
    board.begun.append(run)
    board.report(f"started   {run.name}{note}, {len(board.begun)} of {board.total}")


def _reap(board: _Board) -> None:
    """Looks which runs have ended, and how."""
    for slot, one in list(board.going.items()):
        if one.process.poll() is None:
            continue
        del board.going[slot]
        if child.is_finished(board.sweep, one.run):
            seconds = time.monotonic() - one.started
            board.report(f"finished  {one.run.name}, {seconds:.0f} s")
        else:
            _fail(board, one.run, _ending(one.process.returncode))


def _fail(board: _Board, run: Run, reason: str) -> None:
    words = child.last_words(board.sweep.folder(run))
    board.failures.append(Failure(run, reason, words))
    board.report(f"failed    {run.name}: {reason}")


def _next_ready(board: _Board, ready: Mapping[int, Run]) -> Run | None:
    running = [*(one.run for one in board.going.values()), *ready.values()]
    for run in board.waiting:
        if waits_for(board.sweep, run, running, board.prints) is None:
            return run
    return None


def _ending(status: int) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    # A run that is told to end may do so in good order, with status 0.
    return f"exit status {status}" if status else "ended before its last phase"


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hears Ctrl-C and SIGTERM only when the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(number, lambda seen, frame: heard.append(seen))
        for number in numbers
    ]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if heard:
            signal.raise_signal(heard[0])


@contextlib.contextmanager
def _sigterm_heard() -> Iterator[None]:
    """Lets SIGTERM end the block as Ctrl-C does, unless somebody hears it already."""
    deaf = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not deaf or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
