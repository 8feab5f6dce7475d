"""How a convolutional network is bent into a problem's limits, family and rules."""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.conv_network import ConvNetwork, conv_simplified
from qpm_jax.networks.conv_problem import ConvProblem
from qpm_jax.networks.conv_rule_limits import (
    channels_alike,
    filter_box,
    follows_linear,
    linear_rules,
    position_limit,
    readout_box,
)
from qpm_jax.networks.programs.conv_rule_rows import linear_rows, position_rows
from qpm_jax.networks.programs.inner_solve import inner_solve
from qpm_jax.networks.programs.rows import make_rows, stacked
from qpm_jax.solvers import MixedIntegerProgram


def conv_repaired(problem: ConvProblem, network: ConvNetwork) -> ConvNetwork:
    """The nearest network within the limits, the family and the rules.

    Args:
        problem: the problem.
        network: of its shapes.

    Returns:
        A network with its channels in order; as they are where a `LinearRule` may
        single one out.

    Raises:
        ValueError: when no network follows the linear rules.
    """
    limit = problem.weight_limit
    filters = np.clip(_flat(network.filters), *filter_box(problem))
    readout = np.clip(_flat(network.readout), *readout_box(problem))
    near = problem.network(
        _linear(problem, 0, filters),
        np.clip(network.filter_biases, -limit, limit),
        _linear(problem, 1, _limited(problem, problem.family.rounded(readout))),
        np.clip(network.readout_biases, -limit, limit),
    )
    return conv_simplified(near) if channels_alike(problem) else near


def _flat(weights: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n m"]:
    return weights.reshape(len(weights), -1)


def _limited(
    problem: ConvProblem, readout: Float[np.ndarray, "O P"]
) -> Float[np.ndarray, "O P"]:
    """Without the smallest positions, where not all may be read."""
    most = position_limit(problem)
    if most is None:
        return readout
    parts = readout.reshape(len(readout), -1, problem.channels)
    sizes = np.abs(parts).sum(axis=(0, 2))
    kept = np.zeros(len(sizes), bool)
    kept[np.argsort(-sizes, kind="stable")[:most]] = True
    return (parts * kept[:, None]).reshape(readout.shape)


def _linear(
    problem: ConvProblem, layer: int, weights: Float[np.ndarray, "n m"]
) -> Float[np.ndarray, "n m"]:
    """The nearest weights, by sums of sizes, that follow the layer's linear rules."""
    rules = linear_rules(problem, layer)
    shapes = [np.shape(rule.coefficients) for rule in rules]
    if all(map(follows_linear, rules, (weights.reshape(each) for each in shapes))):
        return weights
    program, step = _nearest_program(problem, layer, weights)
    found = inner_solve(program, 60.0, gap=0.01)
    if not found.found:
        raise ValueError(
            f"rules holds linear rules of layer {layer} that no weights were found to"
            " follow together with the other rules; loosen one."
        )
    near = step * found.values[: weights.size].reshape(weights.shape)
    inside = np.clip(near, *(readout_box if layer else filter_box)(problem))
    return _limited(problem, problem.family.rounded(inside)) if layer else inside


def _units(weights: Float[np.ndarray, "n m"], step: float) -> Float[np.ndarray, " J"]:
    """Weights in units of their step, whole numbers where there is one."""
    flat = weights.reshape(-1)
    return np.round(flat / step) if step else flat


def _nearest_program(
    problem: ConvProblem, layer: int, weights: Float[np.ndarray, "n m"]
) -> tuple[MixedIntegerProgram, float]:
    """Weights, their distances and positions read; and the step of a variable."""
    step = problem.family.step if layer else 0.0
    unit, number = step or 1.0, weights.size
    places = np.arange(number)
    apart, positions = number + places, weights.shape[1] // problem.channels
    limited = bool(layer) and position_limit(problem) is not None
    used = 2 * number + np.arange(positions if limited else 0)
    total = 2 * number + len(used)
    near = weights.reshape(-1)
    rows = [
        make_rows([(apart, 1.0), (places, -unit)], lower=-near),
        make_rows([(apart, 1.0), (places, unit)], lower=near),
        *linear_rows(problem, layer, places, places, unit),
    ]
    if limited:
        position = np.arange(weights.shape[1]) // problem.channels
        owners = np.broadcast_to(used[position], weights.shape).reshape(-1)
        rows += position_rows(problem, places, owners, used, (1, -1), unit)
    matrix, row_lower, row_upper = stacked(rows, total)
    lower, upper = np.zeros(total), np.full(total, np.inf)
    box = (readout_box if layer else filter_box)(problem)
    lower[:number], upper[:number] = (_units(each, step) for each in box)
    upper[used] = 1.0
    integer = np.zeros(total, bool)
    integer[:number], integer[used] = bool(step), True
    costs = np.zeros(total)
    costs[apart] = 1.0
    program = MixedIntegerProgram(
        objective=costs,
        rows=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
    )
    return program, unit
