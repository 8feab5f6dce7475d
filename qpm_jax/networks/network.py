"""A dense ReLU network as arrays, and its exact forward evaluation on the host.

arXiv 2504.14356; docs/networks.md (b)–(d), z^l = W^l h^{l−1} + b^l, h^l = max(0, z^l),
an affine readout. All solvers' answers are judged by these functions, in float64.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float

# Weights below this size count as zero (docs/networks.md, Measures).
ZERO = 1e-6


@dataclass(frozen=True, eq=False)
class ReLUNetwork:
    """Weights and biases of L hidden ReLU layers and an affine readout.

    Attributes:
        weights: L + 1 float64 arrays [out, in], W^1 … W^{L+1}.
        biases: L + 1 float64 arrays [out], b^1 … b^{L+1}.
        skipped: bool [L], hidden layers that hand on what they get; their weights and
            biases are zero. Never the first, and only where both widths are equal.
            Empty for none.

    Raises:
        ValueError: when the shapes do not follow one another.
    """

    weights: tuple[Float[np.ndarray, "out in"], ...]
    biases: tuple[Float[np.ndarray, " out"], ...]
    skipped: Bool[np.ndarray, " L"] = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        """Turns the fields into checked float64 arrays."""
        weights = tuple(np.array(each, np.float64) for each in self.weights)
        biases = tuple(np.array(each, np.float64) for each in self.biases)
        skipped = np.array(self.skipped, bool)
        if not skipped.size:
            skipped = np.zeros(max(0, len(weights) - 1), bool)
        for name, value in (
            ("weights", weights),
            ("biases", biases),
            ("skipped", skipped),
        ):
            object.__setattr__(self, name, value)
        _check_shapes(weights, biases, skipped)

    @property
    def hidden(self) -> tuple[int, ...]:
        """The widths of the hidden layers."""
        return tuple(len(each) for each in self.biases[:-1])


def preactivations(
    network: ReLUNetwork, features: Float[ArrayLike, "N F"]
) -> list[Float[np.ndarray, "N out"]]:
    """Pre-activations z of every hidden layer, and the outputs last.

    Args:
        network: the network.
        features: [N, F].

    Returns:
        L + 1 float64 arrays [N, out]; z of a skipped layer is 0.
    """
    passing = np.asarray(features, np.float64)
    every = []
    for layer, (weights, biases) in enumerate(
        zip(network.weights, network.biases, strict=True)
    ):
        here = passing @ weights.T + biases
        every.append(here)
        if layer < len(network.skipped):
            passing = passing if network.skipped[layer] else np.maximum(here, 0.0)
    return every


def outputs(
    network: ReLUNetwork, features: Float[ArrayLike, "N F"]
) -> Float[np.ndarray, "N O"]:
    """The readout's values.

    Args:
        network: the network.
        features: [N, F].

    Returns:
        float64 [N, O].
    """
    return preactivations(network, features)[-1]


def sparsity(network: ReLUNetwork) -> float:
    """The share of weights, biases not counted, below `ZERO` in size."""
    every = np.concatenate([each.reshape(-1) for each in network.weights])
    return float((np.abs(every) < ZERO).mean())


def used_neurons(network: ReLUNetwork) -> list[Bool[np.ndarray, " n"]]:
    """Which hidden neurons have a way in and a way out; L bool arrays.

    A neuron that nothing leaves, or that nothing enters, is a constant: it can be
    taken out, its value added to the next biases. So can all before or behind it that
    lead only there. Of a skipped layer, none is used.
    """
    layers = len(network.skipped)
    big: list[Any] = [np.abs(each) >= ZERO for each in network.weights]
    reached: list[np.ndarray] = [np.ones(network.weights[0].shape[1], bool)]
    for layer in range(layers):
        into = (big[layer] & reached[-1]).any(axis=1)
        reached.append(reached[-1] if network.skipped[layer] else into)
    needed: list[np.ndarray] = [np.ones(len(network.biases[-1]), bool)]
    for layer in range(layers, 0, -1):
        passes = layer < layers and network.skipped[layer]
        needed.append(
            needed[-1] if passes else (big[layer] & needed[-1][:, None]).any(axis=0)
        )
    return [
        here & there & (not skipped)
        for here, there, skipped in zip(
            reached[1:], needed[:0:-1], network.skipped, strict=True
        )
    ]


def parameter_reduction(network: ReLUNetwork) -> float:
    """The share of weights and biases that go with neurons that are not used."""
    total = sum(each.size for each in (*network.weights, *network.biases))
    inputs = network.weights[0].shape[1]
    width, kept = inputs, 0
    for alive, skipped in zip(used_neurons(network), network.skipped, strict=True):
        if not skipped:
            kept += int(alive.sum()) * (width + 1)
            width = int(alive.sum())
    kept += len(network.biases[-1]) * (width + 1)
    return 1.0 - kept / total


def _check_shapes(
    weights: tuple[np.ndarray, ...], biases: tuple[np.ndarray, ...], skipped: np.ndarray
) -> None:
    if not weights or len(weights) != len(biases) or len(skipped) != len(weights) - 1:
        raise ValueError(
            f"weights has {len(weights)} arrays, biases {len(biases)} and skipped"
            f" {len(skipped)} entries; a network of L hidden layers has L + 1, L + 1"
            " and L."
        )
    width = weights[0].shape[-1]
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if weight.ndim != 2 or weight.shape != (bias.size, width) or bias.ndim != 1:
            raise ValueError(
                f"weights[{layer}] has shape {weight.shape} and biases[{layer}]"
                f" {bias.shape}; they must be [out, {width}] and [out]."
            )
        if (
            layer < len(skipped)
            and skipped[layer]
            and (layer == 0 or len(bias) != width)
        ):
            raise ValueError(
                f"skipped[{layer}] is True, but only a later hidden layer as wide as"
                " the one before can be skipped."
            )
        width = len(bias)
