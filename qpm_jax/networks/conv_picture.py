"""A drawing of a convolutional network: its filters, and what every class reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.canvas import blank, png
from qpm_jax.networks.conv_network import ConvNetwork, conv_sparsity, used_channels
from qpm_jax.networks.picture import NEGATIVE, POSITIVE

_SIDE = 0.85


def conv_picture(
    network: ConvNetwork, output_names: Sequence[str], title: str = ""
) -> bytes:
    """Draws filters in the first column and readout weights behind, a row a channel.

    Args:
        network: the network; of a filter of several channels the sum is shown.
        output_names: one an output: the class in "one_hot", or what a bit says.
        title: such as the data set's name.

    Returns:
        A PNG file: blue for positive, orange for negative, white for zero.

    Raises:
        ValueError: when names do not fit the network.
    """
    outputs, _, _, channels = network.readout.shape
    if len(output_names) != outputs:
        raise ValueError(
            f"output_names has {len(output_names)} entries; the network has {outputs}"
            " outputs."
        )
    width, height = _SIDE * (outputs + 1.3), _SIDE * (channels + 0.9)
    figure: Any = blank(max(width, 3.0), height)
    grid = figure.subplots(channels, outputs + 1, squeeze=False)
    alive = used_channels(network)
    largest = np.abs(network.readout).max() or 1.0
    for channel, row in enumerate(grid):
        shown = network.filters[channel].sum(axis=-1)
        _show(row[0], shown, np.abs(shown).max() or 1.0)
        bias = network.filter_biases[channel]
        row[0].set_xlabel(f"b {bias:.2f}" if alive[channel] else "off", fontsize=7)
        for output, axes in enumerate(row[1:]):
            _show(axes, network.readout[output, ..., channel], largest)
    for axes, name in zip(grid[0], ["filter", *output_names], strict=True):
        axes.set_title(name, fontsize=8)
    zeros = f"{100 * conv_sparsity(network):.1f} % of the weights are zero"
    figure.suptitle(f"{title}; {zeros}" if title else zeros, fontsize=9)
    return png(figure)


def _show(axes: Any, values: Float[np.ndarray, "h w"], largest: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("signs", [NEGATIVE, "white", POSITIVE])
    axes.imshow(values, cmap=colours, vmin=-largest, vmax=largest)
    axes.set_xticks([])
    axes.set_yticks([])
