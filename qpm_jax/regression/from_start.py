"""The course of a solve by a program, whichever it is: build, start, solve, check."""

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from qpm_jax import solvers
from qpm_jax.regression.answers import checked_answer
from qpm_jax.regression.mip_program import MipProgram
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.pseudo_boolean.program import PboProgram
from qpm_jax.regression.solution import RegressionSolution, make_solution
from qpm_jax.regression.start import Model, rounded_starts, zero_model

# The most of the time limit that goes into a model to start from.
_START_SHARE = 0.2

Built = TypeVar("Built", MipProgram, PboProgram)


def solve_from_start(
    problem: RegressionProblem,
    solver: str,
    time_limit: float,
    gap: float,
    build: Callable[[RegressionProblem], Built],
    run: Callable[[Built, Model, float], solvers.Solution],
    read: Callable[[Built, Float[np.ndarray, " V"]], Model],
) -> RegressionSolution:
    """Builds a program, makes a model to start from, solves and checks.

    Args:
        problem: what to solve.
        solver: its name, for the solution.
        time_limit: seconds, building included; a fifth of them for the start.
        gap: the gap asked for.
        build: makes the program.
        run: solves the program from a model within so many seconds.
        read: weights and intercepts from the program's variables.

    Returns:
        A checked solution. Ctrl-C before the solver begins ends it with the best model
        by then, "interrupted".
    """
    began, starts = time.perf_counter(), [zero_model(problem)]
    try:
        built = build(problem)
        for start in rounded_starts(problem, built.data, _START_SHARE * time_limit):
            starts.append(start)
    except KeyboardInterrupt:
        seconds = time.perf_counter() - began
        return make_solution(
            problem, *starts[-1], -np.inf, seconds, solver, "interrupted"
        )
    left = max(0.0, time_limit - (time.perf_counter() - began))
    found = run(built, starts[-1], left)
    seconds = time.perf_counter() - began
    tried = len(starts) > 2  # more than zero weights without and with intercepts
    model = read(built, found.values)
    return checked_answer(problem, found, model, gap, seconds, tried)
