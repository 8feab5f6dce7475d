"""A solve that is a step of a longer one."""

import time
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax import solvers
from qpm_jax.solvers import MixedIntegerProgram, Solution
from qpm_jax.solvers.solution import evaluate


def inner_solve(
    program: MixedIntegerProgram, time_limit: float, **settings: Any
) -> Solution:
    """Solves a program by HiGHS on one thread; Ctrl-C ends the longer solve, too.

    Args:
        program: what to solve.
        time_limit: seconds.
        **settings: of `solvers.solve`: gap, seed, warm_start.

    Returns:
        The solution; "stalled", with the start if there is one and without a bound,
        where the solver's answer breaks the program or its own bound.

    Raises:
        KeyboardInterrupt: where `solvers.solve` would return with "interrupted".
    """
    began = time.perf_counter()
    try:
        answer = solvers.solve(
            program, "highs", time_limit=time_limit, threads=1, **settings
        )
    except RuntimeError:
        # Numbers of very unlike sizes; the longer solve has other steps.
        return _nothing(
            program, settings.get("warm_start"), time.perf_counter() - began
        )
    if answer.status == "interrupted":
        raise KeyboardInterrupt
    return answer


def _nothing(
    program: MixedIntegerProgram,
    start: Float[np.ndarray, " V"] | None,
    seconds: float,
) -> Solution:
    """The start, or no values, and no bound."""
    worst = np.inf if program.maximise else -np.inf
    values, objective = np.full(program.num_variables, np.nan), -worst
    if start is not None and not np.isnan(start).any():
        values, objective = start, evaluate(program, start)[0]
    return Solution(values, objective, worst, np.inf, seconds, "highs", "stalled")
