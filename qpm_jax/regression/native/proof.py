"""A search among all models that a better one can be, for a better model or a proof."""

from dataclasses import dataclass, replace

import numpy as np

from qpm_jax.regression.native.block import read_model
from qpm_jax.regression.native.block_building import build_block
from qpm_jax.regression.native.bound import (
    allowed_weights,
    cutoff_below,
    objective_step,
    round_up,
)
from qpm_jax.regression.native.model import NativeModel
from qpm_jax.regression.native.program import solve_block
from qpm_jax.regression.native.search import Search

# Nodes of this tree, as a multiple of those of one class's.
_PROOF_NODES = 30


@dataclass(frozen=True, eq=False)
class Incumbent:
    """The best model and the best bound known at some moment."""

    model: NativeModel
    bound: float


def prove(search: Search, best: Incumbent, seed: int) -> Incumbent:
    """Looks for a better model among all, as far as the nodes go.

    A better model costs at most one step less, so a weight whose reduced cost is more
    than that leaves above the bound is known.

    Args:
        search: what to search.
        best: what is known.
        seed: of HiGHS.

    Returns:
        What is known after it.
    """
    problem, data, prices = search.problem, search.data, search.prices
    step = objective_step(problem)
    cutoff = best.model.cost - step
    lower, upper = allowed_weights(data, prices.slopes, cutoff - prices.value)
    every = np.ones(problem.num_classes, bool)
    block = build_block(
        problem,
        data,
        lower.astype(np.float64),
        upper.astype(np.float64),
        best.model.intercepts.astype(np.float64),
        every,
        every,
        np.ones((len(data.labels), len(every)), bool),
    )
    nodes = _PROOF_NODES * search.nodes
    limit = cutoff_below(best.model.cost, step)
    answer = solve_block(block, search.deadline, seed, nodes=nodes, cutoff=limit)
    bound = min(round_up(answer.bound, step), best.model.cost)
    best = replace(best, bound=max(best.bound, bound))
    if answer.values is not None:
        found = read_model(problem, data, block, answer.values)
        if found is not None and found.cost < best.model.cost:
            best = replace(best, model=found)
    return best
