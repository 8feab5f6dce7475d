"""HiGHS in a process of its own, which is ended when its time is over."""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np

from qpm_jax.solvers.options import Options
from qpm_jax.solvers.program import MixedIntegerProgram
from qpm_jax.solvers.solution import RawAnswer

# Seconds past the limit in which HiGHS may still end by itself, with a better bound.
_GRACE = 1.0
# What Python runs.
_COMMAND = ("-m", "qpm_jax.solvers.highs_process")


def run_apart(program: MixedIntegerProgram, options: Options) -> RawAnswer:
    """Solves a program with HiGHS within its time, whatever HiGHS does.

    Args:
        program: linear.
        options: how to solve; the deadline is finite.

    Returns:
        The answer, not yet checked: that of HiGHS, or the best it has told of by then.

    Raises:
        RuntimeError: when the process fails; it says how.
    """
    process = subprocess.Popen(
        [sys.executable, *_COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for the parent alone
    )
    news: queue.Queue[tuple[str, Any]] = queue.Queue()
    threading.Thread(
        target=_exchange, args=(process, program, options, news), daemon=True
    ).start()
    try:
        return _follow(news, program.maximise, options)
    finally:
        process.kill()
        process.wait()


def _exchange(
    process: subprocess.Popen[bytes],
    program: MixedIntegerProgram,
    options: Options,
    news: "queue.Queue[tuple[str, Any]]",
) -> None:
    """Hands the program over and passes news on; "end" says there will be no more."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        # A process that fails at once takes nothing; its last words say why.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            given = program, replace(options, listener=None), options.seconds_left
            pickle.dump(given, process.stdin)
        with contextlib.suppress(EOFError, pickle.UnpicklingError):
            while True:
                news.put(pickle.load(process.stdout))
        words = process.stderr.read().decode(errors="replace").strip().splitlines()
    news.put(("end", words[-1] if words else "no word"))


def _follow(
    news: "queue.Queue[tuple[str, Any]]", maximise: bool, options: Options
) -> RawAnswer:
    """Hears news until there is an answer, the time is over or someone interrupts."""
    best = RawAnswer(None, np.inf if maximise else -np.inf, "time_limit")
    try:
        while True:
            left = options.deadline + _GRACE - time.perf_counter()
            try:
                kind, content = news.get(timeout=max(0.0, left))
            except queue.Empty:
                return best
            if kind == "answer":
                return content
            if kind == "end":
                raise RuntimeError(f"HiGHS failed: {content}")
            if kind == "values":
                best = replace(best, values=content)
                continue
            objective, bound = content
            if abs(bound) < 1e20:
                best = replace(best, bound=bound)
            if options.listener is not None and options.listener(objective, bound):
                return replace(best, status="interrupted")
    except KeyboardInterrupt:
        return replace(best, status="interrupted")
