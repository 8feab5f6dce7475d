"""What rules leave of a convolution's weights, and whether a network follows them."""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.conv_network import ConvNetwork
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rules import FilterSign, PositionLimit, ReadoutSign
from qpm_jax.networks.rules import LinearRule
from qpm_jax.solvers.solution import FEASIBILITY_TOLERANCE

Box = tuple[Float[np.ndarray, "n m"], Float[np.ndarray, "n m"]]


def filter_box(problem: ConvProblem) -> Box:
    """The least and the most that the filters' entries may be, [C, k·k·D] each.

    Args:
        problem: the problem.
    """
    shape = (problem.channels, problem.patch_size)
    upper = np.full(shape, problem.weight_limit)
    lower = -upper
    for rule in problem.rules:
        if isinstance(rule, FilterSign):
            (lower if rule.sign > 0 else upper)[:] = 0.0
    return lower, upper


def readout_box(problem: ConvProblem) -> Box:
    """The least and the most that readout weights may be, [O, h·w·C] each.

    Args:
        problem: the problem.
    """
    shape = (problem.codes.shape[1], int(np.prod(problem.pooled_shape)))
    upper = np.full(shape, problem.family.limit)
    lower = -upper
    for rule in problem.rules:
        if isinstance(rule, ReadoutSign):
            (lower if rule.sign > 0 else upper)[rule.output] = 0.0
    return lower, upper


def position_limit(problem: ConvProblem) -> int | None:
    """How many positions of the pooled map may be read; None for no limit.

    Args:
        problem: the problem.
    """
    limits = [rule.most for rule in problem.rules if isinstance(rule, PositionLimit)]
    return min(limits, default=None)


def linear_rules(problem: ConvProblem, layer: int) -> list[LinearRule]:
    """The linear rules of the filters, 0, or the readout, 1.

    Args:
        problem: the problem.
        layer: 0 or 1.
    """
    every = (rule for rule in problem.rules if isinstance(rule, LinearRule))
    return [rule for rule in every if rule.layer == layer]


def channels_alike(problem: ConvProblem) -> bool:
    """Whether channels may change places: no rule singles one out.

    Args:
        problem: the problem.
    """
    return not any(isinstance(rule, LinearRule) for rule in problem.rules)


def follows_rules(problem: ConvProblem, network: ConvNetwork) -> bool:
    """Whether a network follows all rules, a `LinearRule` within the tolerance 1e-5.

    Args:
        problem: the problem.
        network: of its shapes.
    """
    if not problem.rules:
        return True
    filters = network.filters.reshape(problem.channels, -1)
    readout = network.readout.reshape(len(network.readout), -1)
    for found, (lower, upper) in (
        (filters, filter_box(problem)),
        (readout, readout_box(problem)),
    ):
        if (found < lower).any() or (found > upper).any():
            return False
    most = position_limit(problem)
    if most is not None and network.readout.any(axis=(0, 3)).sum() > most:
        return False
    return all(
        follows_linear(rule, weights)
        for layer, weights in enumerate((network.filters, network.readout))
        for rule in linear_rules(problem, layer)
    )


def follows_linear(rule: LinearRule, weights: Float[np.ndarray, "..."]) -> bool:
    """Whether weights follow a linear rule, within the tolerance.

    Args:
        rule: of their layer.
        weights: of the shape of its coefficients.
    """
    total = float((rule.coefficients * weights).sum())
    room = FEASIBILITY_TOLERANCE
    return rule.lower - room <= total <= rule.upper + room
