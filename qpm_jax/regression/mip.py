"""Solves a regression problem with the solver of one's choice, by name."""

import time

import numpy as np

from qpm_jax import solvers
from qpm_jax.regression.answers import checked_answer
from qpm_jax.regression.mip_program import build_mip, read_weights, write_weights
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution
from qpm_jax.regression.start import rounded_start
from qpm_jax.solvers.options import Progress, check_limits

SOLVERS = ("native", "highs", "scip", "gurobi")
# The most of the time limit that goes into a model to start from.
START_SHARE = 0.2


def solve(
    problem: RegressionProblem,
    solver: str = "highs",
    time_limit: float = 60.0,
    gap: float = 0.0,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> RegressionSolution:
    """Finds ternary weights and whole intercepts of least cost.

    Args:
        problem: what to solve.
        solver: "highs", "scip" or "gurobi", the program of `mip_program`, from a
            rounded start; or "native", bounds and search in JAX, without any solver.
        time_limit: seconds, building included; 0 returns zero weights at once.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default; JAX has its own.
        seed: randomness of the solver.
        progress: called with (objective, bound, seconds).

    Returns:
        A checked solution, never worse than zero weights, which are always feasible; if
        these are all there was time for, its status is "no_incumbent". Ctrl-C ends a
        solver with the best model so far, "interrupted".

    Raises:
        ValueError: for an unknown solver, one that is not installed, or a limit out of
            range.
    """
    check_limits(time_limit, gap, threads)
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; choose one of {', '.join(SOLVERS)}.")
    if solver == "native":
        from qpm_jax.regression.native.solver import solve_native

        return solve_native(problem, time_limit, seed, gap, progress)
    began = time.perf_counter()
    mip = build_mip(problem)
    start = rounded_start(problem, mip.data, START_SHARE * time_limit)
    model = start or zero_model(problem)
    found = solvers.solve(
        mip.program,
        solver,
        time_limit=max(0.0, time_limit - (time.perf_counter() - began)),
        gap=gap,
        threads=threads,
        seed=seed,
        warm_start=write_weights(mip, *model),
        progress=progress,
    )
    seconds = time.perf_counter() - began
    model = read_weights(mip, found.values)
    return checked_answer(problem, found, model, gap, seconds, start is not None)


def zero_model(problem: RegressionProblem) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercepts of zero, which are always feasible, at cost 0.

    Args:
        problem: the problem.

    Returns:
        int64 [C, F] and int64 [C].
    """
    classes, features = problem.num_classes, problem.features.shape[1]
    return np.zeros((classes, features), np.int64), np.zeros(classes, np.int64)
