"""Solves a regression problem as a pseudo-Boolean program."""

import time

import numpy as np

from qpm_jax import solvers
from qpm_jax.regression.answers import checked_answer
from qpm_jax.regression.mip import START_SHARE
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.pseudo_boolean.program import build_pbo, read_bits, write_bits
from qpm_jax.regression.solution import RegressionSolution, make_solution
from qpm_jax.regression.start import rounded_starts, zero_model
from qpm_jax.solvers.options import Progress, check_limits

SOLVERS = ("scip", "exact", "highs", "gurobi")


def solve_pbo(
    problem: RegressionProblem,
    solver: str = "scip",
    time_limit: float = 60.0,
    gap: float = 0.0,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> RegressionSolution:
    """Finds ternary weights and whole intercepts of least cost, over bits.

    Args:
        problem: what to solve.
        solver: "scip"; "exact", a pseudo-Boolean solver that learns from conflicts, of
            the package `exact` (an optional extra, AGPL); or "highs" or "gurobi".
        time_limit: seconds, building included; 0 returns zero weights at once.
        gap: relative gap at which to stop, 0 for a proof.
        threads: of the solver, None for its default; Exact has one.
        seed: randomness of the solver; Exact has none.
        progress: called with (objective, bound, seconds).

    Returns:
        A checked solution, as of `mip.solve`.

    Raises:
        ValueError: for an unknown solver, one that is not installed, or a limit out of
            range.
    """
    check_limits(time_limit, gap, threads)
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; choose one of {', '.join(SOLVERS)}.")
    if solver == "exact":
        from qpm_jax.regression.pseudo_boolean.exact_solver import check_installed

        check_installed()
    began, starts = time.perf_counter(), [zero_model(problem)]
    try:
        pbo = build_pbo(problem)
        for start in rounded_starts(problem, pbo.data, START_SHARE * time_limit):
            starts.append(start)
    except KeyboardInterrupt:
        seconds = time.perf_counter() - began
        return make_solution(
            problem, *starts[-1], -np.inf, seconds, solver, "interrupted"
        )
    bits = write_bits(pbo, *starts[-1])
    left = max(0.0, time_limit - (time.perf_counter() - began))
    if solver == "exact":
        from qpm_jax.regression.pseudo_boolean.exact_solver import solve_exact

        found = solve_exact(pbo.program, left, gap, bits, progress)
    else:
        found = solvers.solve(
            pbo.program, solver, left, gap, threads, seed, bits, progress
        )
    seconds = time.perf_counter() - began
    model = read_bits(pbo, found.values)
    tried = len(starts) > 2  # more than zero weights without and with intercepts
    return checked_answer(problem, found, model, gap, seconds, tried)
