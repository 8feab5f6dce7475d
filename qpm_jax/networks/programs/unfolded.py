"""A trained network as layers of maxima and a readout, whatever its kind.

One function a kind, chosen by the network's type: nothing else of verification knows
kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qpm_jax.networks.conv_network import ConvNetwork, conv_outputs, patches, windows
from qpm_jax.networks.network import ReLUNetwork, outputs
from qpm_jax.networks.programs.affine import Affine
from qpm_jax.networks.programs.max_layer import MaxLayer, rectified


@dataclass(frozen=True, eq=False)
class UnfoldedNetwork:
    """What verification needs of a network.

    Attributes:
        shapes: that an input may have, the first in full: an image of one channel may
            come without that axis.
        layers: each reads the one before, the first the entries of an input in order.
        weights: float64 [O, n], of the last layer's units.
        biases: float64 [O].
        outputs: the network's own forward evaluation of [N, *shapes[0]].
    """

    shapes: tuple[tuple[int, ...], ...]
    layers: tuple[MaxLayer, ...]
    weights: Float[np.ndarray, "O n"]
    biases: Float[np.ndarray, " O"]
    outputs: Callable[[Any], Float[np.ndarray, "N O"]]


@dataclass(frozen=True, eq=False)
class Leads:
    """A class's score minus every other's, of the last layer's units.

    Attributes:
        weights: float64 [C−1, n].
        biases: float64 [C−1].
        rivals: int64 [C−1], the other classes.
    """

    weights: Float[np.ndarray, "R n"]
    biases: Float[np.ndarray, " R"]
    rivals: Int[np.ndarray, " R"]


@singledispatch
def unfolded(network: Any) -> UnfoldedNetwork:
    """The network as layers of maxima.

    Args:
        network: a `ReLUNetwork` or a `ConvNetwork`.

    Raises:
        ValueError: when it is something else.
    """
    raise ValueError(
        f"network is a {type(network).__name__}; it must be a ReLUNetwork or a"
        " ConvNetwork, such as `network_` of a fitted estimator."
    )


@unfolded.register
def _(network: ReLUNetwork) -> UnfoldedNetwork:
    """Every hidden layer that is not skipped, of 0 and one piece a neuron."""
    layers = []
    for layer in np.flatnonzero(~network.skipped):
        weights = network.weights[layer]
        inputs = weights.shape[1]
        columns = np.broadcast_to(np.arange(inputs), weights.shape)
        terms = Affine(columns[:, None], weights[:, None])
        layers.append(rectified(terms, network.biases[layer][:, None], inputs))
    return UnfoldedNetwork(
        (network.weights[0].shape[1:],),
        tuple(layers),
        network.weights[-1],
        network.biases[-1],
        partial(outputs, network),
    )


@unfolded.register
def _(network: ConvNetwork) -> UnfoldedNetwork:
    """One layer: of 0 and a window's pieces with max-pooling, else of single pieces."""
    channels, size, _, depth = network.filters.shape
    height, width = (network.window * side for side in network.readout.shape[1:3])
    shape = (height, width, depth)
    inputs = int(np.prod(shape))
    # Pixels from 1, as a 0 is what patches have beyond the border.
    pixels = patches(1 + np.arange(inputs).reshape(1, *shape), size).astype(int)
    pixels = windows(pixels, network.window).swapaxes(-1, -2)  # [1, h, w, q, kkD]
    filters = network.filters.reshape(channels, 1, -1)
    full = np.broadcast_shapes(pixels[0, :, :, None].shape, filters.shape)
    columns = np.broadcast_to(pixels[0, :, :, None], full)
    factors = np.broadcast_to(filters, full) * (columns > 0)
    biases = np.broadcast_to(network.filter_biases[:, None], full[:-1])
    readout = network.readout.reshape(len(network.readout), -1)
    together = network.window**2
    pieces = together if network.pooling == "max" else 1
    if network.pooling == "average":
        readout = np.repeat(readout / together, together, axis=1)
    read = readout.any(axis=0)
    terms = Affine(
        np.maximum(columns - 1, 0).reshape(-1, pieces, full[-1])[read],
        factors.reshape(-1, pieces, full[-1])[read],
    )
    layer = rectified(terms, biases.reshape(-1, pieces)[read], inputs)
    return UnfoldedNetwork(
        (shape, shape[:2]) if depth == 1 else (shape,),
        (layer,),
        readout[:, read],
        network.readout_biases,
        partial(conv_outputs, network),
    )


def leads_over_rivals(
    network: UnfoldedNetwork, codes: Float[np.ndarray, "C O"], label: int
) -> Leads:
    """By how much a class leads.

    Args:
        network: the network.
        codes: [C, O], what every output should be for every class.
        label: the class.
    """
    rivals = np.delete(np.arange(len(codes)), label)
    signs = codes[label] - codes[rivals]
    return Leads(signs @ network.weights, signs @ network.biases, rivals)
