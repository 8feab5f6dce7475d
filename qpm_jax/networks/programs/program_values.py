"""A program's variables for a network, and a network from a program's variables."""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.labels import hinge_losses
from qpm_jax.networks.network import ReLUNetwork, preactivations
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.affine import preactivation
from qpm_jax.networks.programs.dense_program import DenseProgram
from qpm_jax.networks.programs.pruning_rows import tangent_squares, weight_limit
from qpm_jax.networks.programs.relu_rows import group_slices
from qpm_jax.networks.programs.rule_rows import rule_values
from qpm_jax.networks.rules import LinearRule
from qpm_jax.networks.simplify import ordered, simplified, switched_on

# What a solver leaves of a number that should be zero.
DUST = 1e-9


def standard_form(problem: NetworkProblem, network: ReLUNetwork) -> ReLUNetwork:
    """The same function without idle neurons, in the order the program asks for.

    Args:
        problem: the problem.
        network: of its widths.

    Returns:
        A network of no larger objective. Where a `LinearRule` singles neurons out it
        is left as it is.
    """
    if any(isinstance(rule, LinearRule) for rule in problem.rules):
        return network
    return ordered(simplified(network, problem.weight_limit))


def read_network(dense: DenseProgram, values: Float[np.ndarray, " V"]) -> ReLUNetwork:
    """The network a program's variables stand for.

    Args:
        dense: the program.
        values: float64 [V], a solution.

    Returns:
        The network, deeper weights exactly in the family; not yet in standard form.
    """
    weights, biases, skipped = [], [], []
    family = dense.problem.family
    for layer, here in enumerate(dense.columns.layers):
        found = values[here.weights]
        if layer and here.bits.size:
            found = family.values(values[here.bits] > 0.5)
        limit = weight_limit(dense.problem, layer)
        weights.append(np.where(np.abs(found) > DUST, np.clip(found, -limit, limit), 0))
        found = values[here.biases]
        biases.append(np.where(np.abs(found) > DUST, found, 0.0))
        if here.kept.size:
            skipped.append(bool(values[here.kept[0]] < 0.5))
            if skipped[-1]:
                weights[-1], biases[-1] = weights[-1] * 0, biases[-1] * 0
    return ReLUNetwork(tuple(weights), tuple(biases), np.array(skipped))


def write_network(dense: DenseProgram, network: ReLUNetwork) -> Float[np.ndarray, " V"]:
    """A program's variables for a network, a start for a solver.

    Args:
        dense: the program.
        network: in standard form, deeper weights in the family.

    Returns:
        float64 [V], feasible if the network follows the rules and is within the limits
        and the bounds the program was built with.
    """
    problem, columns = dense.problem, dense.columns
    values = np.zeros(dense.program.num_variables)
    reached = preactivations(network, problem.features)
    alive, handed = switched_on(network), problem.features
    for layer, here in enumerate(columns.layers):
        weights = network.weights[layer]
        values[here.weights], values[here.biases] = weights, network.biases[layer]
        values[here.absolute] = np.abs(weights)
        if here.squares.size:
            limit = weight_limit(problem, layer)
            values[here.squares] = tangent_squares(weights, limit)
        if here.bits.size:
            bits = problem.family.bits(weights)
            values[here.bits] = bits
            values[here.products] = bits * handed[:, None, :, None]
        values[here.values] = reached[layer]
        if not here.kept.size:
            continue
        skipped = network.skipped[layer]
        values[here.kept], values[here.alive] = not skipped, alive[layer]
        active = np.maximum(reached[layer], 0.0)
        values[here.active], values[here.on] = active, active > 0
        if here.passed.size:
            values[here.passed] = handed * skipped
            values[here.handed] = handed if skipped else active
        handed = values[here.handed]
    values[columns.losses] = hinge_losses(
        reached[-1], problem.labels, problem.label_encoding
    )
    for rule, extra in zip(problem.rules, columns.rules, strict=True):
        for places, found in zip(extra, rule_values(rule, network), strict=True):
            values[places] = found
    return _with_shares(dense, values)


def _with_shares(
    dense: DenseProgram, values: Float[np.ndarray, " V"]
) -> Float[np.ndarray, " V"]:
    for layer, shares in enumerate(dense.shares):
        if shares.size:
            affine = preactivation(dense.problem, dense.columns, layer)
            terms = affine.coefficients * values[affine.columns]
            on = values[dense.columns.layers[layer].on]
            for group, part in enumerate(group_slices(terms.shape[-1])):
                values[shares[..., group]] = terms[..., part].sum(axis=-1) * on
    return values
