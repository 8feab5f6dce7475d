"""Runs side by side on one machine: what is ready starts as soon as there is room."""

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qpm_jax.sweeps import child
from qpm_jax.sweeps.donors import Fingerprints, take_over_best, waits_for
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep
from qpm_jax.sweeps.shares import device_environment, share_processors

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
    going: dict[int, _Going] = {}
    failures: list[Failure] = []
    total = len(waiting)

    def fail(run: Run, reason: str) -> None:
        words = child.last_words(sweep.folder(run))
        failures.append(Failure(run, reason, words))
        report(f"failed    {run.name}: {reason}")

    def fill() -> None:
        for slot in sorted(set(range(jobs)) - going.keys()):
            run = _next_ready(sweep, waiting, going, prints)
            if run is None:
                return
            waiting.remove(run)
            try:
                taken = take_over_best(sweep, run, prints)
                environment = device_environment(slot, jobs, devices)
                process = child.start(sweep, run, environment)
            except (OSError, child.BusyError) as error:
                fail(run, str(error))
                continue
            going[slot] = _Going(run, process, time.monotonic())
            _share(going)
            note = f" ({', '.join(taken[1])} from {taken[0]})" if taken else ""
            number = total - len(waiting)
            report(f"started   {run.name}{note}, {number} of {total}")

    def reap() -> None:
        for slot, one in list(going.items()):
            if one.process.poll() is None:
                continue
            del going[slot]
            _share(going)
            if child.is_finished(sweep, one.run):
                seconds = time.monotonic() - one.started
                report(f"finished  {one.run.name}, {seconds:.0f} s")
            else:
                fail(one.run, _ending(one.process.returncode))

    with _sigterm_as_ctrl_c():
        try:
            while waiting or going:
                fill()
                time.sleep(_PAUSE)
                reap()
        finally:
            child.end(*(one.process for one in going.values()))
    return failures


def _next_ready(
    sweep: Sweep, waiting: Sequence[Run], going: dict[int, _Going], prints: Fingerprints
) -> Run | None:
    running = [one.run for one in going.values()]
    for run in waiting:
        if waits_for(sweep, run, running, prints) is None:
            return run
    return None


def _share(going: dict[int, _Going]) -> None:
    share_processors([going[slot].process.pid for slot in sorted(going)])


def _ending(status: int) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    # A run that is told to end may do so in good order, with status 0.
    return f"exit status {status}" if status else "ended before its last phase"


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Lets SIGTERM end the block as Ctrl-C does, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
