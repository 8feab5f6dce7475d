"""A bound from prices, and what the prices say about single weights.

A price μ_ic ≥ 0 for a unit by which rival c leads instance i, with α ≤ Σ_c μ_ic ≤ β,
gives −φ(m_i) ≥ Σ_c μ_ic (y_ci − y_{l_i,i}), since −φ(m) is the largest −s m over
s in [α, β]. Summed over instances the cost of every model is at least

    L(μ) = Σ_cf min_w (|w| + w g_cf) + Σ_c min_b b h_c,

where g_cf and h_c sum the prices of class c, its own instances' taken negative, with
and without x_if. The terms part by weight: a weight away from its cheapest value costs
its reduced cost, which rules values out once a good model is known.
The largest L(μ) is the linear relaxation of docs/regression.md by duality.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.problem import RegressionProblem

# Rounding errors of a bound are far below this share of a step between objectives.
_STEP_TOLERANCE = 1e-5
# Finer steps than this are lost in those errors.
_FINEST_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class PriceBound:
    """What prices prove.

    Attributes:
        value: L(μ), no model of the problem costs less.
        slopes: float64 [C, f], g.
        flows: float64 [n, C], μ for one instance of each kind; 0 for own classes.
    """

    value: float
    slopes: Float[np.ndarray, "C f"]
    flows: Float[np.ndarray, "n C"]


def price_bound(
    problem: RegressionProblem, data: MergedData, prices: Float[np.ndarray, "n C"]
) -> PriceBound:
    """L(μ) in float64 from any prices, which are first made to keep their ranges.

    Args:
        problem: the problem.
        data: its merged data.
        prices: [n, C] for one instance of each kind; own classes' entries are ignored.
    """
    rows = np.arange(len(data.labels))
    flows = np.maximum(np.asarray(prices, np.float64), 0.0)
    flows[rows, data.labels] = 0.0
    total = flows.sum(axis=1, keepdims=True)
    rivals = problem.num_classes - 1
    flows = np.where(total > 0, flows, problem.alpha / rivals)
    flows[rows, data.labels] = 0.0
    total = flows.sum(axis=1, keepdims=True)
    flows *= np.clip(total, problem.alpha, problem.beta) / total
    led = flows.copy()
    led[rows, data.labels] = -flows.sum(axis=1)
    led *= data.counts[:, None]
    slopes = led.T @ data.features
    weights = -(data.sizes * np.maximum(np.abs(slopes) - 1.0, 0.0)).sum()
    drift = np.abs(led.sum(axis=0)).sum() / 2
    value = float(weights - 2 * problem.intercept_limit * drift)
    return PriceBound(value, slopes, flows)


def allowed_weights(
    data: MergedData, slopes: Float[np.ndarray, "C f"], allowance: float
) -> tuple[Int[np.ndarray, "C f"], Int[np.ndarray, "C f"]]:
    """The range of each weight whose reduced cost is at most an allowance.

    |w| + g w is convex, so the values within the allowance of its least are a range.

    Args:
        data: merged data.
        slopes: g.
        allowance: how far above L(μ) a model may be.

    Returns:
        int64 [C, f] twice, the least and the largest value.
    """
    sizes = np.broadcast_to(data.sizes, slopes.shape).astype(np.float64)
    least = -sizes * np.maximum(np.abs(slopes) - 1.0, 0.0)
    room = least + max(allowance, 0.0) + 1e-9

    def reach(slope: np.ndarray) -> np.ndarray:
        # The largest v in −size … size with |v| + slope·v ≤ room.
        up = np.where(slope > -1, room / np.maximum(1 + slope, 1e-12), sizes)
        down = room / np.where(slope > 1, slope - 1, -1.0)
        value = np.where(slope <= -1, sizes, np.where(room >= 0, up, down))
        return np.floor(np.clip(value, -sizes, sizes) + 1e-9)

    return -reach(-slopes).astype(np.int64), reach(slopes).astype(np.int64)


def objective_step(problem: RegressionProblem) -> float:
    """The step of which all objectives are multiples; 0 where it is too fine to use.

    Args:
        problem: its margins and weights are whole, so 1, α and β decide.
    """
    parts = [Fraction(problem.alpha), Fraction(problem.beta)]
    step = 1.0 / math.lcm(*(part.denominator for part in parts))
    return step if step >= _FINEST_STEP else 0.0


def round_up(bound: float, step: float) -> float:
    """The least objective that a bound leaves possible.

    Args:
        bound: lower bound.
        step: from `objective_step`.
    """
    if step == 0 or not np.isfinite(bound):
        return bound
    return math.ceil(bound / step - _STEP_TOLERANCE) * step


def cutoff_below(cost: float, step: float) -> float:
    """What a better model costs at most, with room for a solver's rounding errors.

    Args:
        cost: of the best model known.
        step: from `objective_step`.
    """
    return cost - step + 1e-3 * step
