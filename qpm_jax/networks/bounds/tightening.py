"""Big-M values from linear programs over the relaxation of the whole program.

docs/networks.md, "Bounds", by `relaxed_ranges`. Neurons of a layer are alike in the
relaxation without symmetry rows, so one stands for all; where a `LinearRule` or the
bounds given single neurons out, each has linear programs of its own.
"""

import time

import numpy as np

from qpm_jax.networks.bounds.intervals import PreactivationBounds
from qpm_jax.networks.bounds.relaxation import MARGIN, relaxed_ranges
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.dense_program import build_dense
from qpm_jax.networks.rules import LinearRule


def tightened_bounds(
    problem: NetworkProblem,
    bounds: PreactivationBounds,
    objective: float,
    time_limit: float = 60.0,
    threads: int = 1,
    margin: float = MARGIN,
) -> PreactivationBounds:
    """Bounds from the relaxation, layer by layer, each with those before in place.

    Args:
        problem: the problem; of the "bilinear" family, only the first layer.
        bounds: that hold already.
        objective: of a network that is known.
        time_limit: seconds; what there is no time for keeps its bounds.
        threads: among which the linear programs are shared.
        margin: the part of its size by which a bound is widened.

    Returns:
        Bounds that hold for every network of at most that objective, none wider than
        those given.
    """
    deadline = time.perf_counter() + time_limit
    linear = problem.family.name != "bilinear"
    neurons = slice(1) if _alike(problem, bounds) else slice(None)
    for layer in range(len(problem.hidden) if linear else 1):
        dense = build_dense(problem, bounds=bounds, ordered=False)
        values = dense.columns.layers[layer].values[:, neurons]
        left = deadline - time.perf_counter()
        least, most = relaxed_ranges(
            dense.program, objective, values, left, threads, margin
        )
        lower, upper = list(bounds.lower), list(bounds.upper)
        lower[layer] = np.maximum(lower[layer], least)
        upper[layer] = np.minimum(upper[layer], most)
        bounds = PreactivationBounds(tuple(lower), tuple(upper))
    return bounds


def _alike(problem: NetworkProblem, bounds: PreactivationBounds) -> bool:
    """Whether the neurons of a layer may change places, those of all layers at once."""
    hidden = range(len(problem.hidden))
    given = [side[layer] for side in (bounds.lower, bounds.upper) for layer in hidden]
    singled = any(isinstance(rule, LinearRule) for rule in problem.rules)
    return not singled and all((each == each[:, :1]).all() for each in given)
