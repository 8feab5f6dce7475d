"""A convolution's big-M values from linear programs over the relaxation.

docs/networks.md, "Bounds", as `tightening` for dense networks. Channels are alike in
the relaxation without symmetry rows, so one stands for all, unless a `LinearRule` or
the bounds given single channels out. There are two linear programs an image and
position, each as large as the whole program: for those small enough for a solver.
"""

import numpy as np

from qpm_jax.networks.bounds.conv_intervals import ConvBounds
from qpm_jax.networks.bounds.relaxation import MARGIN, relaxed_ranges
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import channels_alike
from qpm_jax.networks.programs.conv_program import build_conv


def tightened_conv_bounds(
    problem: ConvProblem,
    bounds: ConvBounds,
    objective: float,
    time_limit: float = 60.0,
    threads: int = 1,
    margin: float = MARGIN,
) -> ConvBounds:
    """Bounds from the relaxation.

    Args:
        problem: the problem; of the "bilinear" family the relaxation has no products.
        bounds: that hold already.
        objective: of a network that is known.
        time_limit: seconds; what there is no time for keeps its bounds.
        threads: among which the linear programs are shared.
        margin: the part of its size by which a bound is widened.

    Returns:
        Bounds that hold for every network of at most that objective, none wider than
        those given.
    """
    channels = slice(1) if _alike(problem, bounds) else slice(None)
    conv = build_conv(problem, bounds=bounds, ordered=False)
    values = conv.columns.values[..., channels]
    least, most = relaxed_ranges(
        conv.program, objective, values, time_limit, threads, margin
    )
    return ConvBounds(np.maximum(bounds.lower, least), np.minimum(bounds.upper, most))


def _alike(problem: ConvProblem, bounds: ConvBounds) -> bool:
    """Whether channels may change places."""
    given = (bounds.lower, bounds.upper)
    same = all((each == each[..., :1]).all() for each in given)
    return same and channels_alike(problem)
