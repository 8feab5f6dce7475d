"""How large pre-activations can be: the big-M of every instance and neuron.

docs/networks.md, "Bounds": |z^1_ij| ≤ U (‖x_i‖₁ + 1) from the box of the weights. A
network no worse than one that is known costs at most its objective, so with an l1 price
λ₁ its weights together are no larger than objective / λ₁. Under both limits the largest
w·x is a fractional knapsack: the largest |x_k| get U each until nothing is left.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.problem import NetworkProblem

# Room for the solver's tolerances.
BUFFER = 1e-6


@dataclass(frozen=True, eq=False)
class PreactivationBounds:
    """Lower and upper bounds of z of every layer, the outputs last.

    Attributes:
        lower: L + 1 float64 arrays [N, n].
        upper: L + 1 float64 arrays [N, n].
    """

    lower: tuple[Float[np.ndarray, "N n"], ...]
    upper: tuple[Float[np.ndarray, "N n"], ...]

    def largest_active(self, layer: int) -> Float[np.ndarray, "N n"]:
        """The most that max(0, z) can be."""
        return np.maximum(0.0, self.upper[layer])


def interval_bounds(
    problem: NetworkProblem, objective: float = np.inf
) -> PreactivationBounds:
    """Bounds for every network of at most an objective, layer by layer.

    Args:
        problem: the problem.
        objective: of a network that is known; inf for none.

    Returns:
        The bounds; they hold for all networks that are no worse.
    """
    spare = objective - _fixed_price(problem)
    budget = max(0.0, spare) / problem.l1 if problem.l1 else np.inf
    sizes = np.abs(problem.features)
    limit = problem.weight_limit
    lower, upper = [], []
    for layer, width in enumerate(problem.widths[1:]):
        reach = _knapsack(sizes, limit, budget) + problem.weight_limit
        reach = reach * (1 + BUFFER)
        lower.append(np.repeat(-reach[:, None], width, axis=1))
        upper.append(np.repeat(reach[:, None], width, axis=1))
        handed, sizes = sizes, np.maximum(upper[-1], 0.0)
        if layer > 0 and problem.layer_price:  # a skipped layer hands on what it gets
            sizes = np.maximum(sizes, handed.max(axis=1, keepdims=True))
        limit = problem.family.limit
    return PreactivationBounds(tuple(lower), tuple(upper))


def _fixed_price(problem: NetworkProblem) -> float:
    """What every network costs: its first layer is never skipped."""
    return problem.layer_price


def _knapsack(
    sizes: Float[np.ndarray, "N m"], limit: float, budget: float
) -> Float[np.ndarray, " N"]:
    """The largest Σ_k |w_k| sizes_k with |w_k| ≤ limit and Σ|w| ≤ budget."""
    falling = -np.sort(-sizes, axis=1)
    before = limit * np.arange(sizes.shape[1])
    share = np.clip(budget - before, 0.0, limit)
    return falling @ share
