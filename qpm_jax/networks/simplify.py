"""Networks without idle parts: the same function, fewer numbers."""

import numpy as np
from jaxtyping import Bool

from qpm_jax.networks.network import ReLUNetwork


def switched_on(network: ReLUNetwork) -> list[Bool[np.ndarray, " n"]]:
    """Hidden neurons with any weight in, bias or weight out; L bool arrays.

    Of a skipped layer, none. The neuron switches p of docs/networks.md (g) count these.
    """
    on = []
    for layer, bias in enumerate(network.biases[:-1]):
        into, out = network.weights[layer], network.weights[layer + 1]
        some = into.any(axis=1) | (bias != 0) | out.any(axis=0)
        on.append(some & ~network.skipped[layer])
    return on


def simplified(network: ReLUNetwork, bias_limit: float = np.inf) -> ReLUNetwork:
    """The same function on all inputs, with idle neurons set to zero.

    A neuron that nothing enters has a constant value: it moves to the next biases where
    these stay within the limit. A neuron that nothing leaves loses all it has.

    Args:
        network: any.
        bias_limit: the largest size of a bias.

    Returns:
        A network of the same widths; no weight that stays is changed.
    """
    weights = [each.copy() for each in network.weights]
    biases = [each.copy() for each in network.biases]
    for layer, skipped in enumerate(network.skipped):
        if skipped or network.skipped[layer + 1 :].any():
            continue  # a later identity would hand the constant on
        constant = np.maximum(biases[layer], 0.0) * ~weights[layer].any(axis=1)
        moved = biases[layer + 1] + weights[layer + 1] @ constant
        idle = ~weights[layer].any(axis=1)
        if np.abs(moved).max() <= bias_limit:
            biases[layer + 1] = moved
        else:
            idle &= constant == 0
        biases[layer][idle] = 0.0
        weights[layer + 1][:, idle] = 0.0
    shorter = ReLUNetwork(tuple(weights), tuple(biases), network.skipped)
    return _without_dead_ends(shorter)


def _without_dead_ends(network: ReLUNetwork) -> ReLUNetwork:
    weights = [each.copy() for each in network.weights]
    biases = [each.copy() for each in network.biases]
    for layer in range(len(network.skipped) - 1, -1, -1):
        if network.skipped[layer + 1 :].any() or network.skipped[layer]:
            continue
        dead = ~weights[layer + 1].any(axis=0)
        weights[layer][dead] = 0.0
        biases[layer][dead] = 0.0
    return ReLUNetwork(tuple(weights), tuple(biases), network.skipped)


def ordered(network: ReLUNetwork) -> ReLUNetwork:
    """The same network with its neurons in the order that breaks symmetry.

    Neurons that are switched on come first, by falling sum of incoming weights. Layers
    next to a skipped one keep their order.

    Args:
        network: any.

    Returns:
        The network, its hidden neurons permuted.
    """
    weights = [each.copy() for each in network.weights]
    biases = [each.copy() for each in network.biases]
    for layer, skipped in enumerate(network.skipped):
        if skipped or network.skipped[layer + 1 : layer + 2].any():
            continue
        on = switched_on(ReLUNetwork(tuple(weights), tuple(biases), network.skipped))
        places = np.lexsort([-weights[layer].sum(axis=1), ~on[layer]])
        weights[layer] = weights[layer][places]
        biases[layer] = biases[layer][places]
        weights[layer + 1] = weights[layer + 1][:, places]
    return ReLUNetwork(tuple(weights), tuple(biases), network.skipped)
