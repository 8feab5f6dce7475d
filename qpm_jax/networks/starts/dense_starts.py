"""Networks to start from, and how one is bent into a problem's family and rules."""

import numpy as np

from qpm_jax.networks.labels import output_signs
from qpm_jax.networks.network import ReLUNetwork, outputs
from qpm_jax.networks.problem import NetworkProblem
from qpm_jax.networks.programs.columns import skippable
from qpm_jax.networks.programs.program_values import standard_form
from qpm_jax.networks.rules import FeatureLimit, Monotone, WeightSign

_RIDGE = 0.1


def repaired(problem: NetworkProblem, network: ReLUNetwork) -> ReLUNetwork:
    """The nearest network we know that is within the limits, the family and the rules.

    Args:
        problem: the problem.
        network: of its widths.

    Returns:
        A network in standard form. A `LinearRule`, or a `Monotone` in a network of more
        than one hidden layer, may still be broken.
    """
    near = within_limits(problem, network)
    weights = [each.copy() for each in near.weights]
    first = weights[0]
    for rule in problem.rules:
        if isinstance(rule, WeightSign):
            column = rule.sign * first[:, rule.feature]
            first[:, rule.feature] = rule.sign * np.maximum(0.0, column)
        elif isinstance(rule, Monotone):
            _agree(rule, weights)
        elif isinstance(rule, FeatureLimit):
            sizes = np.abs(first).sum(axis=0)
            first[:, np.argsort(-sizes, kind="stable")[rule.most :]] = 0.0
    bent = ReLUNetwork(tuple(weights), near.biases, near.skipped)
    return standard_form(problem, bent)


def within_limits(problem: NetworkProblem, network: ReLUNetwork) -> ReLUNetwork:
    """The nearest network within the limits and the family; rules are left out.

    Args:
        problem: the problem.
        network: of its widths. A layer that it skips where the problem has none to skip
            gets weights of 1 in its place, as near as the family has them.
    """
    limit = problem.weight_limit
    weights = list(network.weights)
    held = network.skipped & ~np.array(skippable(problem))
    for layer in np.flatnonzero(held).tolist():
        weights[layer] = np.eye(len(weights[layer]))
    return ReLUNetwork(
        (
            np.clip(weights[0], -limit, limit),
            *(problem.family.rounded(each) for each in weights[1:]),
        ),
        tuple(np.clip(each, -limit, limit) for each in network.biases),
        network.skipped & ~held,
    )


def zero_network(problem: NetworkProblem) -> ReLUNetwork:
    """No weights, and the biases of the best of a few constant answers.

    Args:
        problem: the problem.
    """
    shapes = list(zip(problem.widths[1:], problem.widths[:-1], strict=True))
    biases = [np.zeros(out) for out, _ in shapes]
    signs = output_signs(problem.codes)
    # One-hot outputs are to differ by 1, bits to be 1 from zero.
    wanted = np.vstack([0.5 * signs, signs, np.zeros(problem.widths[-1])])
    candidates = np.clip(wanted, -problem.weight_limit, problem.weight_limit)
    weights = tuple(np.zeros(shape) for shape in shapes)
    networks = [
        ReLUNetwork(weights, (*biases[:-1], np.asarray(each))) for each in candidates
    ]
    return min(networks, key=problem.objective)


def ridge_start(problem: NetworkProblem) -> ReLUNetwork:
    """Hidden neurons that copy a ridge regression of the outputs, in NumPy alone.

    Neuron j of every layer carries output j mod O: its positive part, and for later
    copies its negative part. The readout adds them up.

    Args:
        problem: the problem.

    Returns:
        A repaired network.
    """
    codes = problem.codes
    wanted = output_signs(codes)[problem.labels]
    data = np.hstack([problem.features, np.ones((len(wanted), 1))])
    gram = data.T @ data / len(data) + _RIDGE * np.eye(data.shape[1])
    slopes = np.linalg.solve(gram, data.T @ wanted / len(data)).T
    number = codes.shape[1]
    weights, biases = [], []
    for layer, (into, out) in enumerate(
        zip(problem.widths, problem.hidden, strict=False)
    ):
        kind = np.arange(out) % number
        sign = np.where(np.arange(out) // number % 2, -1.0, 1.0)
        if layer == 0:
            weights.append(2 * sign[:, None] * slopes[kind, :-1])
            biases.append(2 * sign * slopes[kind, -1])
        else:
            weights.append(1.0 * (np.arange(out)[:, None] % into == np.arange(into)))
            biases.append(np.zeros(out))
    last = np.arange(problem.hidden[-1])
    origin = last % min(problem.hidden)
    readout = (origin % number == np.arange(number)[:, None]) * np.where(
        origin // number % 2, -1.0, 1.0
    )
    draft = ReLUNetwork((*weights, readout), (*biases, np.zeros(number)))
    return repaired(problem, _recentred(problem, draft))


def _recentred(problem: NetworkProblem, network: ReLUNetwork) -> ReLUNetwork:
    """Readout biases for which every output is right on average."""
    codes = problem.codes
    wanted = output_signs(codes)[problem.labels]
    reached = outputs(network, problem.features)
    biases = (*network.biases[:-1], (wanted - reached).mean(axis=0) / 2)
    return ReLUNetwork(network.weights, biases, network.skipped)


def _agree(rule: Monotone, weights: list[np.ndarray]) -> None:
    """Takes out first-layer weights whose path to the output has the wrong sign."""
    column = weights[0][:, rule.feature]
    if len(weights) > 2:
        column[:] = 0.0
        return
    sign = 1.0 if rule.increasing else -1.0
    column[sign * column * weights[1][rule.output] < 0] = 0.0
