"""Hears a solver while it works: progress out, Ctrl-C in."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from qpm_jax.solvers.options import Incumbent, Progress

# Bounds move hundreds of times a second; a live line needs a few.
_SECONDS_BETWEEN = 0.1


class Reporter:
    """Passes news on to a caller's functions, from whatever thread it comes.

    An exception must not cross a solver's own code: it is kept in `failure`, and the
    solver is asked to end.

    Attributes:
        failure: what a function raised, or None.
    """

    def __init__(
        self,
        progress: Progress | None,
        started: float,
        incumbent: Incumbent | None = None,
    ) -> None:
        """Args: the functions to call, and when the clock began."""
        self.failure: BaseException | None = None
        self._progress = progress
        self._incumbent = incumbent
        self._started = started
        self._last: tuple[float, float] | None = None
        self._told = -math.inf

    def __call__(self, objective: float, bound: float) -> bool:
        """Tells of an objective and a bound; returns whether the solver is to end."""
        if self.failure is not None or self._progress is None:
            return self.failure is not None
        news = (_infinite(objective), _infinite(bound))
        now = time.perf_counter()
        new_incumbent = self._last is None or news[0] != self._last[0]
        if new_incumbent or now - self._told >= _SECONDS_BETWEEN:
            self._last, self._told = news, now
            try:
                self._progress(*news, now - self._started)
            except BaseException as error:
                self.failure = error
        return self.failure is not None

    def keep(self, values: np.ndarray) -> bool:
        """Tells of an incumbent's values; returns whether the solver is to end."""
        if self._incumbent is not None and self.failure is None:
            try:
                self._incumbent(values)
            except BaseException as error:
                self.failure = error
        return self.failure is not None


def run_interruptibly(
    work: Callable[[], object], interrupt: Callable[[], object]
) -> bool:
    """Runs a solver in a thread, so that the main one hears Ctrl-C and other signals.

    Args:
        work: the blocking call; it must release the interpreter's lock.
        interrupt: asks it to end soon, from another thread.

    Returns:
        Whether Ctrl-C came, also where the solver ended by itself before it heard.

    Raises:
        BaseException: what the solver's call raised; or what a signal's handler did,
            once the solver has ended: whoever catches it may free what it worked on.
        KeyboardInterrupt: Ctrl-C came before the solver began.
    """
    call: Future[object] = Future()
    # Not `Thread.join`: before Python 3.12 one that is interrupted takes the thread for
    # ended.
    ended = threading.Event()

    def guarded() -> None:
        if call.set_running_or_notify_cancel():
            try:
                call.set_result(work())
            except BaseException as error:
                call.set_exception(error)
            finally:
                ended.set()

    came: list[BaseException] = []
    try:
        threading.Thread(target=guarded, daemon=True).start()
        _wait(ended, interrupt, came)
    except BaseException as error:  # between two waits, or while the thread started
        came.append(error)
        if call.cancel():
            raise
        _wait(ended, interrupt, came)
    for error in came:
        if not isinstance(error, KeyboardInterrupt):
            raise error
    call.result()
    return bool(came)


def _wait(
    ended: threading.Event,
    interrupt: Callable[[], object],
    came: list[BaseException],
) -> None:
    """Waits for the end, and keeps in `came` what signals' handlers raise meanwhile."""
    while not ended.is_set():
        try:
            if not ended.wait(0.05) and came:
                interrupt()  # again: a solver forgets one that came while it started
        except BaseException as error:
            came.append(error)


def _infinite(number: float) -> float:
    """±inf where a solver says 1e20 or more for "nothing yet"."""
    return math.copysign(math.inf, number) if abs(number) >= 1e20 else float(number)
