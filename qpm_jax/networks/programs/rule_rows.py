"""The user's rules as rows, and the variables they need."""

import numpy as np
from jaxtyping import Float

from qpm_jax.networks.network import ReLUNetwork
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.columns import NetworkColumns
from qpm_jax.networks.programs.pruning_rows import weight_limit
from qpm_jax.networks.programs.rows import Rows, make_rows
from qpm_jax.networks.rules import FeatureLimit, LinearRule, Monotone, WeightSign


def rule_rows(problem: NetworkProblem, columns: NetworkColumns) -> list[Rows]:
    """Rows of all rules.

    Args:
        problem: the problem.
        columns: its variables.
    """
    first = columns.layers[0]
    rows: list[Rows] = []
    for rule, extra in zip(problem.rules, columns.rules, strict=True):
        if isinstance(rule, WeightSign):
            rows.append(
                make_rows([(first.weights[:, rule.feature], rule.sign)], lower=0.0)
            )
        elif isinstance(rule, FeatureLimit):
            rows.append(
                make_rows(
                    [(first.absolute, 1.0), (extra[0], -problem.weight_limit)],
                    upper=0.0,
                )
            )
            rows.append(make_rows([], upper=rule.most, sums=[(extra[0], 1.0)]))
        elif isinstance(rule, LinearRule):
            weights = columns.layers[rule.layer].weights.reshape(-1)
            sums = [(weights, np.reshape(rule.coefficients, -1))]
            rows.append(make_rows([], rule.lower, rule.upper, sums=sums))
        else:
            rows += _direction_rows(problem, columns, rule, extra)
    return rows


def _direction_rows(
    problem: NetworkProblem,
    columns: NetworkColumns,
    rule: Monotone,
    directions: tuple[np.ndarray, ...],
) -> list[Rows]:
    """A binary r a neuron, 1 where it never falls as the feature grows.

    A first-layer weight is ≥ 0 where r is 1 and ≤ 0 where it is 0. Between neurons a
    weight is ≥ 0 where both directions are equal and ≤ 0 where they differ. A layer
    that is skipped has no weights to say so: it has the directions of the one before.
    """
    limit = problem.weight_limit
    into = columns.layers[0].weights[:, rule.feature]
    rows = [
        make_rows([(into, 1.0), (directions[0], -limit)], upper=0.0),
        make_rows([(into, 1.0), (directions[0], -limit)], lower=-limit),
    ]
    for layer in range(1, len(problem.hidden)):
        weights = columns.layers[layer].weights
        here, before = directions[layer][:, None], directions[layer - 1]
        most = weight_limit(problem, layer)
        one = (weights, 1.0)
        rows += [
            make_rows([one, (here, -most), (before, -most)], lower=-2 * most),
            make_rows([one, (here, most), (before, most)], lower=0.0),
            make_rows([one, (here, most), (before, -most)], upper=most),
            make_rows([one, (here, -most), (before, most)], upper=most),
        ]
        if columns.layers[layer].passed.size:
            kept = columns.layers[layer].kept
            turned = [(directions[layer], 1.0), (before, -1.0)]
            rows += [
                make_rows([*turned, (kept, -1.0)], upper=0.0),
                make_rows([*turned, (kept, 1.0)], lower=0.0),
            ]
    readout = columns.layers[-1].weights[rule.output]
    most = weight_limit(problem, len(problem.hidden))
    sign = 1.0 if rule.increasing else -1.0
    rows += [
        make_rows([(readout, sign), (directions[-1], -most)], lower=-most),
        make_rows([(readout, sign), (directions[-1], -most)], upper=0.0),
    ]
    return rows


def rule_values(
    rule: object, network: ReLUNetwork
) -> tuple[Float[np.ndarray, "..."], ...]:
    """A rule's variables for a network that follows it.

    Args:
        rule: the rule.
        network: the network.
    """
    if isinstance(rule, FeatureLimit):
        return (np.asarray(network.weights[0].any(axis=0), np.float64),)
    if isinstance(rule, Monotone):
        return _directions(rule, network)
    return ()


def _directions(
    rule: Monotone, network: ReLUNetwork
) -> tuple[Float[np.ndarray, " n"], ...]:
    """Directions from the readout back, which sees every neuron that matters."""
    sign = 1.0 if rule.increasing else -1.0
    effect = sign * network.weights[-1][rule.output]
    first = network.weights[0][:, rule.feature]
    if len(network.weights) == 2:
        return (np.where(effect != 0, effect > 0, first > 0).astype(np.float64),)
    found = [np.where(effect != 0, effect > 0, True).astype(np.float64)]
    for layer in range(len(network.weights) - 2, 0, -1):
        if network.skipped[layer]:
            found.insert(0, found[0])
            continue
        weights = network.weights[layer] * (2 * found[0] - 1)[:, None]
        strongest = weights[np.abs(weights).argmax(axis=0), np.arange(weights.shape[1])]
        found.insert(0, np.where(strongest != 0, strongest > 0, True).astype(float))
    found[0] = np.where(first != 0, first > 0, found[0] > 0).astype(np.float64)
    for layer in range(1, len(found)):
        if not network.skipped[layer]:
            break
        found[layer] = found[0]
    return tuple(found)
