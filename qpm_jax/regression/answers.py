"""From a solver's solution of a program to a checked model with its bound."""

import math

import numpy as np
from jaxtyping import Int

from qpm_jax import solvers
from qpm_jax.regression.problem import RegressionProblem
from qpm_jax.regression.solution import RegressionSolution, make_solution

# What a solver's bound may be off by, for each unit of its size.
_BOUND_TOLERANCE = 1e-9


def whole_bound(problem: RegressionProblem, bound: float) -> float:
    """A lower bound raised to the next whole number where the objective is whole.

    Args:
        problem: its objective is whole if α and β are.
        bound: a lower bound, −inf for none.
    """
    if not (problem.alpha.is_integer() and problem.beta.is_integer()):
        return bound
    if not math.isfinite(bound):
        return bound
    return float(math.ceil(bound - 1e-6 - _BOUND_TOLERANCE * abs(bound)))


def checked_answer(
    problem: RegressionProblem,
    solution: solvers.Solution,
    model: tuple[Int[np.ndarray, "C F"], Int[np.ndarray, " C"]],
    gap: float,
    seconds: float,
    started: bool,
) -> RegressionSolution:
    """The model of a program's solution.

    Args:
        problem: the problem.
        solution: of the program, values and all.
        model: weights and intercepts read from it.
        gap: the gap asked for.
        seconds: wall-clock time, building included.
        started: whether other weights than zero were tried before the solver began.

    Returns:
        The checked solution. Its status is "optimal" where the bound, made whole,
        meets the objective, and "no_incumbent" where the time was over with nothing
        but zero weights.
    """
    result = make_solution(
        problem,
        *model,
        bound=whole_bound(problem, solution.bound),
        seconds=seconds,
        solver=solution.solver,
        status=solution.status,
    )
    status = result.status
    if result.objective - result.bound <= 1e-9 * max(1.0, abs(result.objective)):
        status = "optimal"
    elif result.gap <= gap:
        status = "gap_reached"
    elif status == "time_limit" and not started and not result.coefficients.any():
        status = "no_incumbent"
    if status == result.status:
        return result
    return make_solution(
        problem, *model, result.bound, seconds, solution.solver, status
    )
