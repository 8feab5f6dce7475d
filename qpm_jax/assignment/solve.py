"""Solves an assignment problem with the solver of one's choice, by name."""

from typing import Any

from qpm_jax.assignment.problem import AssignmentProblem
from qpm_jax.assignment.result import Assignment
from qpm_jax.solvers.options import Progress, check_limits

SOLVERS = ("native", "highs", "scip", "gurobi", "published")


def solve(
    problem: AssignmentProblem,
    solver: str = "native",
    time_limit: float = 60.0,
    seed: int = 0,
    gap: float = 0.0,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Assignment:
    """Finds which features to keep and which of them describe each class.

    Args:
        problem: what to solve.
        solver: "native", local search and bounds that need no solver; "highs", "scip"
            or "gurobi", the linear model of `exact_model` by a proving solver;
            "published", the paper's iterative scheme, which proves nothing.
        time_limit: seconds; 0 gives a feasible solution at once.
        seed: randomness of the search.
        gap: relative gap at which to stop, 0 for a proof.
        threads: threads of an exact solver, None for its default; the native solver
            leaves them to JAX.
        progress: called with (objective, bound, seconds).
        **options: of the solver chosen: see `native.solve_native` (patience, chains,
            bound_steps, enumerate_small; restarts=4 runs so many searches in processes
            of their own, see `restarts.solve_restarts`), `exact.solve_exact` and
            `published.solve_published` (exact_solver, all_features).

    Returns:
        A checked `Assignment`. It ends when proven, at `gap`, at the limit or, for the
        native solver, when nothing improves any more.

    Raises:
        ValueError: for an unknown solver, a malformed limit or a part of the problem
            that the solver does not take.
    """
    check_limits(time_limit, gap, threads)
    if solver not in SOLVERS:
        raise ValueError(f"solver is {solver!r}; choose one of {', '.join(SOLVERS)}.")
    if solver == "native" and "restarts" in options:
        from qpm_jax.assignment.native.restarts import solve_restarts

        return solve_restarts(
            problem,
            time_limit=time_limit,
            seed=seed,
            gap=gap,
            progress=progress,
            **options,
        )
    if solver == "native":
        from qpm_jax.assignment.native.solver import solve_native

        return solve_native(problem, time_limit, seed, gap, progress, **options)
    if solver == "published":
        from qpm_jax.assignment.published.scheme import solve_published

        return solve_published(
            problem, time_limit, seed, gap, threads, progress, **options
        )[0]
    from qpm_jax.assignment.exact import solve_exact

    return solve_exact(
        problem, solver, time_limit, seed, gap, threads, progress, **options
    )
