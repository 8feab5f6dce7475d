"""A convolution's rules as rows; signs are bounds of variables, `conv_rule_limits`."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import linear_rules, position_limit
from qpm_jax.networks.programs.rows import Rows, make_rows


def linear_rows(
    problem: ConvProblem,
    layer: int,
    weights: Int[np.ndarray, " J"],
    places: Int[np.ndarray, " J"],
    step: float = 1.0,
    held: Float[np.ndarray, " W"] | None = None,
) -> Iterator[Rows]:
    """The linear rules of a layer of which weights may be held.

    Args:
        problem: the problem.
        layer: 0 for the filters, 1 for the readout.
        weights: variables of the weights that are free.
        places: which entries of the flat array they are.
        step: a weight is this times its variable.
        held: the other weights, zero where one is free; None where all are.
    """
    for rule in linear_rules(problem, layer):
        factors = np.reshape(rule.coefficients, -1)
        given = 0.0 if held is None else float(factors @ held)
        sums = [(weights, step * factors[places])]
        yield make_rows([], rule.lower - given, rule.upper - given, sums=sums)


def position_rows(
    problem: ConvProblem,
    sizes: Int[np.ndarray, "..."],
    owners: Int[np.ndarray, "..."],
    used: Int[np.ndarray, " S"],
    signs: tuple[int, ...],
    step: float = 1.0,
    taken: int = 0,
) -> list[Rows]:
    """No more positions are read than a `PositionLimit` says; none where there is none.

    Args:
        problem: the problem.
        sizes: variables, of weights or their sizes.
        owners: for each the variable that says whether its position is read.
        used: all of those, binary.
        signs: the sides on which a variable is limited, 1 and −1; sizes need one.
        step: a weight is this times its variable.
        taken: positions that are read whatever these are.
    """
    most = position_limit(problem)
    if most is None or not used.size:
        return []
    limit = problem.family.limit / step
    rows = [make_rows([(sizes, sign), (owners, -limit)], upper=0.0) for sign in signs]
    return [*rows, make_rows([], upper=most - taken, sums=[(used, 1.0)])]
