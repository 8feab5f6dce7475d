"""Solves a regression problem with the solver of one's choice, by name."""

import time

import numpy as np

from qpm_jax import solvers
from qpm_jax.regression.answers import checked_answer
from qpm_jax.regression.mip_program import build_mip, read_weights, write_weights
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution, make_solution
from qpm_jax.regression.start import rounded_starts, zero_model
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
            rounded start; or "native", `native.solver`: bounds, dives and trees of our
            own, whose many small programs HiGHS solves.
        time_limit: seconds, building included; 0 returns zero weights at once.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default; "native" has one, whatever this
            says.
        seed: randomness of the solver.
        progress: called with (objective, bound, seconds).

    Returns:
        A checked solution, never worse than zero weights, which are always feasible; if
        these are all there was time for, its status is "no_incumbent". Ctrl-C ends it
        with the best model so far, "interrupted".

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
    began, starts = time.perf_counter(), [zero_model(problem)]
    try:
        mip = build_mip(problem)
        for start in rounded_starts(problem, mip.data, START_SHARE * time_limit):
            starts.append(start)
    except KeyboardInterrupt:
        seconds = time.perf_counter() - began
        return make_solution(
            problem, *starts[-1], -np.inf, seconds, solver, "interrupted"
        )
    found = solvers.solve(
        mip.program,
        solver,
        time_limit=max(0.0, time_limit - (time.perf_counter() - began)),
        gap=gap,
        threads=threads,
        seed=seed,
        warm_start=write_weights(mip, *starts[-1]),
        progress=progress,
    )
    seconds = time.perf_counter() - began
    model = read_weights(mip, found.values)
    tried = len(starts) > 2  # more than zero weights without and with intercepts
    return checked_answer(problem, found, model, gap, seconds, tried)
