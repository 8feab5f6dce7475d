"""Parts of a network that are worth solving for while the rest is held.

With the weights behind a layer and most ReLU patterns held, the rest is a linear
program with few binaries; with the hidden layers held, only the readout is left, whose
inputs are numbers. A `Neighbourhood` says what is free; `hold` turns it into a
restriction of the program.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from qpm_jax.networks.network import ReLUNetwork, preactivations
from qpm_jax.networks.programs.dense_program import DenseProgram
from qpm_jax.networks.programs.program_values import write_network
from qpm_jax.networks.programs.restriction import Restriction, restrict


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """What is free; one entry a layer, the readout last.

    Attributes:
        weights: bool [n, m].
        biases: bool [n].
        patterns: bool [N, n], ReLU binaries, hidden layers only.
    """

    weights: list[Bool[np.ndarray, "n m"]]
    biases: list[Bool[np.ndarray, " n"]]
    patterns: list[Bool[np.ndarray, "N n"]]


def of_layer(
    network: ReLUNetwork, features: Float[np.ndarray, "N F"], layer: int, share: float
) -> Neighbourhood:
    """One layer's weights, its biases and all behind.

    Args:
        network: the network.
        features: [N, F].
        layer: 0 for the first.
        share: the part of the patterns that is free, the nearest to their kink.
    """
    weights = [np.full(each.shape, False) for each in network.weights]
    weights[layer][:] = True
    biases = [
        np.full(each.shape, place >= layer) for place, each in enumerate(network.biases)
    ]
    return Neighbourhood(weights, biases, _near_kinks(network, features, share))


def of_neuron(
    network: ReLUNetwork,
    features: Float[np.ndarray, "N F"],
    layer: int,
    neuron: int,
    share: float,
) -> Neighbourhood:
    """All weights into and out of one hidden neuron, its bias and all biases behind.

    Args:
        network: the network.
        features: [N, F].
        layer: a hidden one.
        neuron: its index.
        share: the part of the patterns that is free, the nearest to their kink.
    """
    weights = [np.full(each.shape, False) for each in network.weights]
    weights[layer][neuron] = True
    weights[layer + 1][:, neuron] = True
    biases = [
        np.full(each.shape, place > layer) for place, each in enumerate(network.biases)
    ]
    biases[layer][neuron] = True
    return Neighbourhood(weights, biases, _near_kinks(network, features, share))


def hold(
    dense: DenseProgram, network: ReLUNetwork, free: Neighbourhood
) -> tuple[Restriction, Float[np.ndarray, " K"]]:
    """The program in which only a neighbourhood is free.

    Args:
        dense: the whole program, with big-M ReLUs and without symmetry rows.
        network: where the neighbourhood is.
        free: the neighbourhood.

    Returns:
        The restriction, and the network as a solution of it.
    """
    values = write_network(dense, network)
    given = np.zeros(len(values), bool)
    which, anchors, factors = [], [], []
    moving = np.zeros(dense.problem.features.shape[1], bool)
    for layer, here in enumerate(dense.columns.layers):
        fixed = ~free.weights[layer]
        for each in (here.weights, here.absolute, here.squares, here.bits):
            if each.size:
                given[each[fixed]] = True
        given[here.biases[~free.biases[layer]]] = True
        if here.products.size:
            before = dense.columns.layers[layer - 1].handed
            tie = _ties(here, before, values, ~fixed, moving)
            given[tie.constant] = True
            which.append(tie.which)
            anchors.append(tie.anchors)
            factors.append(tie.factors)
        if not here.kept.size:
            break
        given[here.kept] = True
        idle = network.skipped[layer]
        changes = free.weights[layer].any(axis=1) | free.biases[layer]
        changes |= (network.weights[layer] != 0)[:, moving].any(axis=1)
        changes = moving if idle else changes
        still = np.broadcast_to(~changes, here.on.shape)
        for each in (here.values, here.active, here.handed, here.passed):
            if each.size:
                given[each[still]] = True
        given[here.on[still | ~free.patterns[layer]]] = True
        moving = changes
    tied = (_joined(which, int), _joined(anchors, int), _joined(factors, float))
    part = restrict(dense.program, values, given, tied)
    return part, values[part.kept]


@dataclass(frozen=True, eq=False)
class _Ties:
    """Products that are numbers, and products that are multiples of a variable."""

    constant: np.ndarray
    which: np.ndarray
    anchors: np.ndarray
    factors: np.ndarray


def _ties(
    here: object,
    before: np.ndarray,
    values: np.ndarray,
    free: np.ndarray,
    moving: np.ndarray,
) -> _Ties:
    """A product β h of a held bit is 0 or h, of a held h it is a number times β."""
    products, bits = here.products, here.bits  # type: ignore[missing-attribute]
    shape = products.shape
    free_bit = np.broadcast_to(free[None, :, :, None], shape)
    free_input = np.broadcast_to(moving[None, None, :, None], shape)
    inputs = np.broadcast_to(before[:, None, :, None], shape)
    every_bit = np.broadcast_to(bits[None], shape)
    to_input = ~free_bit & free_input & (values[every_bit] > 0.5)
    to_bit = free_bit & ~free_input & (values[inputs] != 0)
    constant = ~(free_bit & free_input) & ~to_input & ~to_bit
    return _Ties(
        products[constant],
        np.r_[products[to_input], products[to_bit]],
        np.r_[inputs[to_input], every_bit[to_bit]],
        np.r_[np.ones(to_input.sum()), values[inputs[to_bit]]],
    )


def _near_kinks(
    network: ReLUNetwork, features: Float[np.ndarray, "N F"], share: float
) -> list[Bool[np.ndarray, "N n"]]:
    every = preactivations(network, features)[:-1]
    near = []
    for layer, reached in enumerate(every):
        size = np.abs(network.weights[layer]).sum(axis=1) + 1e-9
        distance = np.abs(reached) / size
        count = round(share * distance.size)
        places = np.argsort(distance, axis=None, kind="stable")[:count]
        free = np.zeros(distance.size, bool)
        free[places] = True
        near.append(free.reshape(distance.shape))
    return near


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *parts])
