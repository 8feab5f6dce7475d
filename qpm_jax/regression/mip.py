"""Solves a regression problem with the solver of one's choice, by name."""

from qpm_jax import solvers
from qpm_jax.regression.from_start import solve_from_start
from qpm_jax.regression.mip_program import (
    MipProgram,
    build_mip,
    read_weights,
    write_weights,
)
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution
from qpm_jax.regression.start import Model
from qpm_jax.solvers.options import Progress, check_limits

SOLVERS = ("native", "highs", "scip", "gurobi")


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
            rounded start; or "native", `native.solver`: bounds, dives, draws and trees
            of our own, whose many small programs HiGHS solves.
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

    def run(mip: MipProgram, start: Model, seconds: float) -> solvers.Solution:
        return solvers.solve(
            mip.program,
            solver,
            time_limit=seconds,
            gap=gap,
            threads=threads,
            seed=seed,
            warm_start=write_weights(mip, *start),
            progress=progress,
        )

    return solve_from_start(
        problem, solver, time_limit, gap, build_mip, run, read_weights
    )
