"""Better models, a few classes at a time.

With the scores of all other classes given, the weights of one class are a program of N
rows whose relaxation is nearly whole; HiGHS solves it in moments where it fails on all
classes together. Classes meet only in the best rivals' scores r_i, which are not known.
So a group of classes is opened at once, and its classes become whole one after another,
while the weights of those that follow stay fractions and so say which r_i suit them
(relax and fix). Weights that no good model would give another value (`allowed_weights`)
stay out.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.regression.merged_data import MergedData
from qpm_jax.regression.native_block import build_block
from qpm_jax.regression.native_bound import allowed_weights
from qpm_jax.regression.native_model import NativeModel, make_model
from qpm_jax.regression.native_program import solve_block
from qpm_jax.regression.problem import RegressionProblem


@dataclass(frozen=True, eq=False)
class SearchLimits:
    """How hard to try.

    Attributes:
        allowance: reduced cost up to which a weight may move.
        slack: cost that a class may lose by ending early.
        nodes: nodes of one class's search tree.
        deadline: `time.perf_counter()` at which to end.
        seed: of HiGHS.
    """

    allowance: float
    slack: float
    nodes: int
    deadline: float
    seed: int


def open_classes(
    problem: RegressionProblem,
    data: MergedData,
    slopes: Float[np.ndarray, "C f"],
    model: NativeModel,
    order: Int[np.ndarray, " K"],
    limits: SearchLimits,
    cutoff: float,
) -> NativeModel | None:
    """Opens some classes and makes them whole again, in the order given.

    Args:
        problem: the problem.
        data: its merged data.
        slopes: g, from `price_bound`.
        model: a model; classes not in `order` keep their weights.
        order: classes, all different.
        limits: how hard to try.
        cutoff: models that cost more are of no use, and are given up early.

    Returns:
        The new model, which may cost more than the cutoff; None when there is none.
    """
    classes = problem.num_classes
    lower, upper = allowed_weights(data, slopes, limits.allowance)
    lower, upper = np.minimum(lower, model.weights), np.maximum(upper, model.weights)
    open_now, free = np.zeros(classes, bool), np.zeros(classes, bool)
    open_now[order] = free[order] = True
    weights, intercepts = model.weights.copy(), model.intercepts.astype(np.float64)
    for position, chosen in enumerate(order):
        block = build_block(
            problem,
            data,
            np.where(open_now[:, None], lower, weights),
            np.where(open_now[:, None], upper, weights),
            intercepts,
            free,
            np.arange(classes) == chosen,
        )
        start = block.write(data, model) if position == 0 else None
        answer = solve_block(
            block,
            limits.deadline,
            limits.seed,
            start,
            limits.slack,
            limits.nodes,
            cutoff,
        )
        if answer.values is None:
            return None
        found, offsets = block.read(answer.values)
        weights[chosen] = np.round(found[chosen]).astype(np.int64)
        intercepts[free] = offsets[free]
        open_now[chosen] = False
    return make_model(problem, data, weights, intercepts)
