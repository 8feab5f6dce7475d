"""A ternary model over merged data, and what it costs.

The native solver works on the merged data of `merged_data`, where a weight is the sum
of the weights of equal columns: a whole number of at most `sizes`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.problem import RegressionProblem, margins_of

# Intercepts that a solver returns this little below a whole number are that number.
_NEARLY_WHOLE = 1e-6


@dataclass(frozen=True, eq=False)
class NativeModel:
    """Weights of merged columns, intercepts and their cost.

    Attributes:
        weights: int64 [C, f].
        intercepts: int64 [C].
        cost: the problem's objective.
    """

    weights: Int[np.ndarray, "C f"]
    intercepts: Int[np.ndarray, " C"]
    cost: float


def make_model(
    problem: RegressionProblem,
    data: MergedData,
    weights: Int[np.ndarray, "C f"],
    intercepts: Float[np.ndarray, " C"],
) -> NativeModel | None:
    """A model with whole intercepts, the best of C + 1 ways to round those given.

    For fixed weights the cost is linear between whole differences of intercepts, so the
    mean cost over θ in [0, 1) of intercepts ⌊b + θ⌋ is that of b: one is no worse.

    Args:
        problem: the problem.
        data: its merged data.
        weights: int64 [C, f].
        intercepts: float64 [C].

    Returns:
        The model; None when no rounding keeps the problem's intercept bound.
    """
    scores = (data.features @ weights.T).astype(np.int64)
    lifted = intercepts + _NEARLY_WHOLE
    steps = np.append(0.0, 1 - (lifted - np.floor(lifted)))
    rounded = np.unique(np.floor(lifted + steps[:, None]).astype(np.int64), axis=0)
    rounded = rounded[np.ptp(rounded, axis=1) <= 2 * problem.intercept_limit]
    if not len(rounded):
        return None
    costs = [margin_cost(problem, data, scores + option) for option in rounded]
    best = int(np.argmin(costs))
    return NativeModel(
        weights, rounded[best], float(np.abs(weights).sum() + costs[best])
    )


def zero_model(problem: RegressionProblem, data: MergedData) -> NativeModel:
    """Zero weights and intercepts, which are always allowed.

    Args:
        problem: the problem.
        data: its merged data.
    """
    weights = np.zeros((problem.num_classes, len(data.sizes)), np.int64)
    model = make_model(problem, data, weights, np.zeros(problem.num_classes))
    if model is None:
        raise RuntimeError("intercepts of 0 broke the problem's bound.")
    return model


def margin_cost(
    problem: RegressionProblem, data: MergedData, scores: Int[np.ndarray, "n C"]
) -> float:
    """−Σ φ(m_i) over all instances, from whole sums.

    Args:
        problem: the problem.
        data: its merged data.
        scores: int64 [n, C].
    """
    margins = margins_of(scores, data.labels) * data.counts
    lead, lag = margins[margins > 0].sum(), margins[margins < 0].sum()
    return -(problem.alpha * int(lead) + problem.beta * int(lag))
