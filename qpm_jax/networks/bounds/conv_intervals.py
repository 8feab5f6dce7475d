"""How large a convolution's pre-activations can be: big-M of every image and position.

docs/networks.md, Convolution: |z_icr| ≤ U (‖patch_ir‖₁ + 1) from the box of the
filters. Less where an objective is known: filters together are then no larger than
objective / λ₁, so the largest pixels of the patch get U each until nothing is left.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.bounds.intervals import BUFFER
from qpm_jax.networks.conv_network import patches, windows
from qpm_jax.networks.conv_problem import ConvProblem


@dataclass(frozen=True, eq=False)
class ConvBounds:
    """Lower and upper bounds of z of a convolution.

    Attributes:
        lower: float64 [N, H, W, C].
        upper: float64 [N, H, W, C].
    """

    lower: Float[np.ndarray, "N H W C"]
    upper: Float[np.ndarray, "N H W C"]

    @property
    def largest_active(self) -> Float[np.ndarray, "N H W C"]:
        """The most that h = max(0, z) can be."""
        return np.maximum(0.0, self.upper)


def conv_interval_bounds(problem: ConvProblem, objective: float = np.inf) -> ConvBounds:
    """Bounds for every network of at most an objective, all channels alike.

    Args:
        problem: the problem.
        objective: of a network that is known; inf for none.

    Returns:
        The bounds; its arrays are views of one entry a position, not to be written to.
    """
    limit = problem.weight_limit
    budget = objective / problem.l1 if problem.l1 else np.inf
    seen = np.abs(patches(problem.images, problem.filter_size))
    if budget >= limit * problem.patch_size:
        reach = limit * seen.sum(axis=-1)
    else:
        share = np.clip(budget - limit * np.arange(seen.shape[-1]), 0.0, limit)
        reach = -np.sort(-seen, axis=-1) @ share
    reach = (reach + limit) * (1 + BUFFER)
    shape = (*reach.shape, problem.channels)
    lower, upper = (np.broadcast_to(each[..., None], shape) for each in (-reach, reach))
    return ConvBounds(lower, upper)


def pooled_reach(
    problem: ConvProblem, bounds: ConvBounds
) -> Float[np.ndarray, "N h w C"]:
    """The most that an entry of the pooled map can be.

    Args:
        problem: the problem.
        bounds: of z.
    """
    inside = windows(bounds.largest_active, problem.window)
    return inside.max(axis=-1) if problem.pooling == "max" else inside.mean(axis=-1)
