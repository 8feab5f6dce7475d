"""HiGHS in a process of its own, which is ended when its time is over."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from qpm_jax.solvers.child_process import child
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
    # A moment both processes understand: starting one takes seconds, and
    # `perf_counter` may begin anew in each.
    ends = time.time() + options.seconds_left
    message = program, replace(options, listener=None, keeper=None), ends
    with child("HiGHS", _COMMAND, message) as process:
        return _follow(process.hear, program.maximise, options)


def _follow(
    hear: Callable[[float], Any], maximise: bool, options: Options
) -> RawAnswer:
    """Hears news until there is an answer, the time is over or someone interrupts."""
    best = RawAnswer(None, np.inf if maximise else -np.inf, "time_limit")
    try:
        while news := hear(options.deadline + _GRACE - time.perf_counter()):
            kind, content = news
            if kind == "answer":
                return content
            if kind == "values":
                best = replace(best, values=content)
                if options.keeper is not None and options.keeper(content):
                    return replace(best, status="interrupted")
                continue
            objective, bound = content
            if abs(bound) < 1e20:
                best = replace(best, bound=bound)
            if options.listener is not None and options.listener(objective, bound):
                return replace(best, status="interrupted")
    except KeyboardInterrupt:
        return replace(best, status="interrupted")
    return best
