"""A small convolutional ReLU network as arrays, and its exact forward evaluation.

arXiv 2504.14356, docs/networks.md, Convolution: filters with same padding, a ReLU,
pooling over windows, an affine readout. All solvers' answers are judged by these
functions, in float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float

from qpm_jax.networks.network import ZERO

POOLINGS = ("max", "average")


@dataclass(frozen=True, eq=False)
class ConvNetwork:
    """Filters and a readout of the pooled map.

    Attributes:
        filters: float64 [C, k, k, D], F; k odd.
        filter_biases: float64 [C], b.
        readout: float64 [O, h, w, C], from the pooled map of [h, w, C] to O outputs.
        readout_biases: float64 [O].
        pooling: "max" or "average".
        window: side of a pooling window; height and width of a map are h, w times it.

    Raises:
        ValueError: when the shapes do not fit, or for another pooling.
    """

    filters: Float[np.ndarray, "C k k D"]
    filter_biases: Float[np.ndarray, " C"]
    readout: Float[np.ndarray, "O h w C"]
    readout_biases: Float[np.ndarray, " O"]
    pooling: str = "max"
    window: int = 2

    def __post_init__(self) -> None:
        """Turns the fields into checked float64 arrays."""
        for name in ("filters", "filter_biases", "readout", "readout_biases"):
            object.__setattr__(self, name, np.array(getattr(self, name), np.float64))
        shape = self.filters.shape
        square = self.filters.ndim == 4 and shape[1] == shape[2] and shape[1] % 2 == 1
        if not square or self.filter_biases.shape != shape[:1]:
            raise ValueError(
                f"filters has shape {shape} and filter_biases"
                f" {self.filter_biases.shape}; they must be [C, k, k, D], k odd, and"
                " [C]."
            )
        out = self.readout.shape
        if self.readout.ndim != 4 or self.readout_biases.shape != out[:1]:
            raise ValueError(
                f"readout has shape {out} and readout_biases"
                f" {self.readout_biases.shape}; they must be [O, h, w, C] and [O]."
            )
        if out[3] != shape[0]:
            raise ValueError(
                f"readout is for {out[3]} channels, filters has {shape[0]}."
            )
        if self.pooling not in POOLINGS:
            raise ValueError(
                f"pooling is {self.pooling!r}; choose one of {', '.join(POOLINGS)}."
            )


def patches(
    images: Float[ArrayLike, "N H W D"], size: int
) -> Float[np.ndarray, "N H W kkD"]:
    """What a filter sees at every position, zeros beyond the border.

    Args:
        images: [N, H, W, D].
        size: k, odd.

    Returns:
        float64 [N, H, W, k·k·D], in the order of a filter's entries.
    """
    margin = size // 2
    inside = np.asarray(images, np.float64)
    sides = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(inside, sides), (size, size), axis=(1, 2)
    )
    entries = size * size * inside.shape[3]
    return np.moveaxis(windows, 3, -1).reshape(*inside.shape[:3], entries)


def windows(
    maps: Float[np.ndarray, "N H W C"], window: int
) -> Float[np.ndarray, "N h w C q"]:
    """The entries of every pooling window, row by row, last.

    Args:
        maps: [N, H, W, C] of any kind of entries.
        window: side of a window; H and W are multiples.
    """
    instances, height, width, channels = maps.shape
    h, w = height // window, width // window
    parts = maps.reshape(instances, h, window, w, window, channels)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(
        instances, h, w, channels, window * window
    )


def convolved(
    network: ConvNetwork, images: Float[ArrayLike, "N H W D"]
) -> Float[np.ndarray, "N H W C"]:
    """Pre-activations z of the convolution.

    Args:
        network: the network.
        images: [N, H, W, D].
    """
    channels, size = network.filters.shape[:2]
    flat = network.filters.reshape(channels, -1)
    return patches(images, size) @ flat.T + network.filter_biases


def pooled(
    network: ConvNetwork, images: Float[ArrayLike, "N H W D"]
) -> Float[np.ndarray, "N h w C"]:
    """Pooled activations m, the readout's inputs.

    Args:
        network: the network.
        images: [N, H, W, D].
    """
    active = np.maximum(convolved(network, images), 0.0)
    inside = windows(active, network.window)
    return inside.max(axis=-1) if network.pooling == "max" else inside.mean(axis=-1)


def conv_outputs(
    network: ConvNetwork, images: Float[ArrayLike, "N H W D"]
) -> Float[np.ndarray, "N O"]:
    """The readout's values.

    Args:
        network: the network.
        images: [N, H, W, D].

    Returns:
        float64 [N, O].
    """
    inputs = pooled(network, images)
    flat = network.readout.reshape(len(network.readout), -1)
    return inputs.reshape(len(inputs), -1) @ flat.T + network.readout_biases


def conv_sparsity(network: ConvNetwork) -> float:
    """The share of weights, of filters and readout, below `ZERO` in size."""
    every = np.concatenate([network.filters.reshape(-1), network.readout.reshape(-1)])
    return float((np.abs(every) < ZERO).mean())


def used_channels(network: ConvNetwork) -> Bool[np.ndarray, " C"]:
    """Which channels see something and are read."""
    big: Any = np.abs(network.filters) >= ZERO
    return big.any(axis=(1, 2, 3)) & used_units(network).any(axis=(0, 1))


def used_units(network: ConvNetwork) -> Bool[np.ndarray, "h w C"]:
    """Which entries of the pooled map are read."""
    big: Any = np.abs(network.readout) >= ZERO
    return big.any(axis=0)


def conv_parameter_reduction(network: ConvNetwork) -> float:
    """The share of weights and biases of channels and pooled entries not in use.

    A channel takes its filter, its bias and all that reads it; an entry of the pooled
    map that no output reads takes its readout weights.
    """
    every = (network.filters, network.filter_biases, network.readout)
    total = sum(each.size for each in every) + network.readout_biases.size
    alive = used_channels(network)
    outputs = len(network.readout_biases)
    kept = int(alive.sum()) * (network.filters[0].size + 1) + outputs
    kept += int((used_units(network) & alive).sum()) * outputs
    return 1.0 - kept / total


def conv_simplified(network: ConvNetwork) -> ConvNetwork:
    """The same function with unread channels set to zero, and channels in order.

    The order is the program's: used channels first, of falling sums of their filters.
    """
    read: Any = network.readout.any(axis=(0, 1, 2))
    filters = network.filters * read[:, None, None, None]
    biases = network.filter_biases * read
    order = np.lexsort([-filters.sum(axis=(1, 2, 3)), ~read])
    return ConvNetwork(
        filters[order],
        biases[order],
        network.readout[..., order],
        network.readout_biases,
        network.pooling,
        network.window,
    )
