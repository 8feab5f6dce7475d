"""What a solver of the regression problem returns, checked outside that solver."""

from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Int

from qpm_jax.regression.problem import RegressionProblem, centred
from qpm_jax.solvers.solution import relative_gap
from qpm_jax.whole_numbers import whole_numbers

# A bound may lie above the objective by this much of its terms: solvers' tolerances.
ROUNDING = 1e-6

STATUSES = (
    "optimal",
    "gap_reached",
    "time_limit",
    "stalled",
    "interrupted",
    "no_incumbent",
)


@dataclass(frozen=True, eq=False)
class RegressionSolution:
    """A ternary linear model and how good it is known to be.

    Attributes:
        coefficients: int8 [C, F] in {−1, 0, 1}, w.
        intercepts: int64 [C], b, centred: the largest and the smallest are as far from
            0, or nearly.
        objective: Σ|w| − Σ φ(m_i), evaluated outside the solver; least is best.
        bound: no model within the problem's bounds has less; −inf where unknown.
        gap: |bound − objective| / max(|objective|, 1e-12).
        seconds: wall-clock time of the solve, building and compilation included.
        solver: name of the solver.
        status: "optimal", "gap_reached", "time_limit", "stalled", "interrupted", or
            "no_incumbent": the time was over before any weights were found, and these
            are zero weights, which are always feasible.
    """

    coefficients: Int[np.ndarray, "C F"]
    intercepts: Int[np.ndarray, " C"]
    objective: float
    bound: float
    gap: float
    seconds: float
    solver: str
    status: str

    @property
    def reduction(self) -> float:
        """The share of zero weights among the F·C (Table II)."""
        return float((self.coefficients == 0).mean())


def make_solution(
    problem: RegressionProblem,
    coefficients: Int[ArrayLike, "C F"],
    intercepts: Int[ArrayLike, " C"],
    bound: float,
    seconds: float,
    solver: str,
    status: str,
) -> RegressionSolution:
    """Centres, checks and evaluates a model.

    Args:
        problem: the problem solved.
        coefficients: whole numbers [C, F].
        intercepts: whole numbers [C]; a constant added to all changes nothing.
        bound: a lower bound on the objective; lowered to the objective where rounding
            puts it above.
        seconds: wall-clock time spent.
        solver: name of the solver.
        status: why it ended, one of `STATUSES`; "optimal" is for the caller to prove.

    Returns:
        The checked `RegressionSolution`.

    Raises:
        ValueError: when a shape is wrong, a number is not whole or the status unknown.
        RuntimeError: when a weight is not in {−1, 0, 1}, an intercept breaks the
            problem's bound, or the bound lies above the objective by more than
            rounding: then a solver's answer is wrong.
    """
    if status not in STATUSES:
        raise ValueError(f"status is {status!r}; choose one of {', '.join(STATUSES)}.")
    classes, features = problem.num_classes, problem.features.shape[1]
    weights = whole_numbers("coefficients", coefficients, (classes, features))
    offsets = centred(whole_numbers("intercepts", intercepts, (classes,)))
    if np.abs(weights).max() > 1:
        raise RuntimeError(
            f"{solver} returned a weight of {weights.flat[np.abs(weights).argmax()]};"
            " all must be -1, 0 or 1."
        )
    limit = problem.intercept_limit
    if np.abs(offsets).max() > limit:
        raise RuntimeError(
            f"{solver} returned intercepts of up to {np.abs(offsets).max()} in size;"
            f" the problem's bound is {limit}."
        )
    objective = problem.objective(weights, offsets)
    allowed = ROUNDING * max(1.0, _terms(problem, weights, offsets))
    if bound > objective + allowed:
        raise RuntimeError(
            f"{solver} says that nothing is below {bound:.9g}, but its own solution"
            f" has {objective:.9g}: its bound is wrong."
        )
    bound = min(float(bound), objective)
    return RegressionSolution(
        coefficients=weights.astype(np.int8),
        intercepts=offsets,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        seconds=float(seconds),
        solver=solver,
        status=status,
    )


def _terms(
    problem: RegressionProblem, weights: np.ndarray, offsets: np.ndarray
) -> float:
    """The size of what the objective adds up."""
    margins = np.abs(problem.margins(weights, offsets)).astype(np.float64)
    return float(np.abs(weights).sum() + problem.beta * margins.sum())
