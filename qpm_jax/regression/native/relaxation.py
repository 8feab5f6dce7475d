"""Models that may have fractions: the linear relaxation, where the solver begins."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block_building import build_block
from qpm_jax.regression.native.bound import PriceBound, price_bound
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.program import solve_block
from qpm_jax.regression.problem import RegressionProblem


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A model that may have fractions.

    Attributes:
        weights: float64 [C, f].
        intercepts: float64 [C].
        reduced_costs: float64 [C, f], `Block.reduced_costs` where they were found; None
            for a model that no relaxation gave.
    """

    weights: Float[np.ndarray, "C f"]
    intercepts: Float[np.ndarray, " C"]
    reduced_costs: Float[np.ndarray, "C f"] | None = None


def as_relaxed(model: NativeModel) -> Relaxed:
    """A whole model, as what a search opens."""
    return Relaxed(
        model.weights.astype(np.float64), model.intercepts.astype(np.float64)
    )


def relax(
    problem: RegressionProblem, data: MergedData, deadline: float
) -> tuple[PriceBound, Relaxed] | None:
    """The relaxation's prices, with the bound they give, and its weights.

    Args:
        problem: the problem.
        data: its merged data.
        deadline: `time.perf_counter()` at which to give up.

    Returns:
        Prices and weights; None where time ends before the relaxation is solved.
    """
    classes = problem.num_classes
    most = np.broadcast_to(data.sizes, (classes, len(data.sizes))).astype(np.float64)
    every, none = np.ones(classes, bool), np.zeros(classes, bool)
    close = np.ones((len(data.labels), classes), bool)
    block = build_block(
        problem, data, -most, most, np.zeros(classes), every, none, close
    )
    answer = solve_block(block, deadline)
    if answer.values is None or not answer.ended:
        return None
    rivals = -answer.prices.reshape(-1, classes) / data.counts[:, None]
    weights, intercepts = block.read(answer.values)
    costs = block.reduced_costs(answer.prices)
    return price_bound(problem, data, rivals), Relaxed(weights, intercepts, costs)
