"""The linear relaxation of the whole program, where the native solver begins."""

import numpy as np

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native.block_building import build_block
from qpm_jax.regression.native.bound import PriceBound, price_bound
from qpm_jax.regression.native.program import solve_block
from qpm_jax.regression.native.search import Relaxed
from qpm_jax.regression.problem import RegressionProblem


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
