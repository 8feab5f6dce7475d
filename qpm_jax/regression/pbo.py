"""Solves a regression problem as a pseudo-Boolean program."""

from qpm_jax import solvers
from qpm_jax.regression.from_start import solve_from_start
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.pseudo_boolean.program import (
    PboProgram,
    build_pbo,
    read_bits,
    write_bits,
)
from qpm_jax.regression.solution import RegressionSolution
from qpm_jax.regression.start import Model
from qpm_jax.solvers.options import Progress, check_limits
from qpm_jax.solvers.registry import check_installed

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
        seed: randomness of the solver.
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
    check_installed(solver)

    def run(pbo: PboProgram, start: Model, seconds: float) -> solvers.Solution:
        bits = write_bits(pbo, *start)
        return solvers.solve(
            pbo.program, solver, seconds, gap, threads, seed, bits, progress
        )

    return solve_from_start(problem, solver, time_limit, gap, build_pbo, run, read_bits)
