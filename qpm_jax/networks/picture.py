"""A drawing of a network: what is left of it, the signs and sizes of its weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.canvas import blank, png
from qpm_jax.networks.network import ZERO, ReLUNetwork, used_neurons

POSITIVE, NEGATIVE, QUIET = "#2b62b5", "#d9741a", "#9a9a9a"
_COLUMN, _ROW = 3.0, 0.55
_WIDEST = 5.0
# With more weights than this, numbers beside the lines cover each other.
_LEGIBLE = 40
_TALL = 12


def network_picture(
    network: ReLUNetwork,
    feature_names: Sequence[str],
    output_names: Sequence[str],
    title: str = "",
) -> bytes:
    """Draws a network from left to right.

    Args:
        network: the network; skipped layers are left out.
        feature_names: one a feature; features without a weight are named below.
        output_names: one an output: the class in "one_hot", or what a bit says.
        title: such as the data set's name.

    Returns:
        A PNG file: a circle a neuron with its bias, dashed and empty where it is not
        used; a line a weight, blue for positive, orange for negative, its width the
        weight's size.

    Raises:
        ValueError: when names do not fit the network.
    """
    _check(network, feature_names, output_names)
    stays = np.append(~network.skipped, True)
    weights = [w for w, kept in zip(network.weights, stays, strict=True) if kept]
    biases = [b for b, kept in zip(network.biases, stays, strict=True) if kept]
    used = np.flatnonzero((np.abs(weights[0]) >= ZERO).any(axis=0))
    weights[0] = weights[0][:, used]
    alive = [np.ones(len(used), bool)]
    alive += [each for each, s in zip(used_neurons(network), stays, strict=False) if s]
    alive.append(np.ones(len(biases[-1]), bool))
    tallest = max(len(each) for each in alive)
    heights = [_places(len(each), tallest) for each in alive]
    row = _ROW if tallest <= _TALL else _ROW * 0.55
    figure = blank(2.6 + _COLUMN * len(weights), 1.6 + row * max(4, tallest))
    axes = figure.subplots()
    axes.set_axis_off()
    largest = max((np.abs(each).max() for each in weights if each.size), default=1.0)
    count = sum(int((np.abs(each) >= ZERO).sum()) for each in weights)
    for layer, each in enumerate(weights):
        _lines(axes, layer, each, heights, largest or 1.0, count <= _LEGIBLE)
    for layer, bias in enumerate(biases):
        _neurons(axes, layer + 1, heights[layer + 1], alive[layer + 1], bias)
    axes.scatter(np.zeros(len(used)), heights[0], s=30, color="black", zorder=3)
    _names(
        axes, 0, heights[0], [feature_names[each] for each in used.tolist()], "right"
    )
    _names(axes, len(weights), heights[-1], output_names, "left")
    axes.set_xlim(-0.75, len(weights) + 0.5)
    spread = max(abs(each).max(initial=1.0) for each in heights)
    axes.set_ylim(-spread - 0.6, spread + 0.6)
    _legend(figure, axes, feature_names, used, title)
    return png(figure)


def _lines(
    axes: Any,
    layer: int,
    weights: Float[np.ndarray, "n m"],
    heights: list[Float[np.ndarray, " n"]],
    largest: float,
    numbers: bool,
) -> None:
    from matplotlib.collections import LineCollection

    out, into = np.nonzero(np.abs(weights) >= ZERO)
    values = weights[out, into]
    start = np.stack([np.full(len(into), layer), heights[layer][into]], axis=1)
    end = np.stack([np.full(len(out), layer + 1), heights[layer + 1][out]], axis=1)
    shades = np.where(values > 0, POSITIVE, NEGATIVE)
    widths = 0.5 + (_WIDEST - 0.5) * np.abs(values) / largest
    axes.add_collection(
        LineCollection(
            list(np.stack([start, end], axis=1)),
            colors=shades.tolist(),
            linewidths=widths.tolist(),
            alpha=0.75,
            zorder=1,
        )
    )
    if numbers:
        # At different parts of the way, so that crossing lines keep their numbers.
        part = 0.22 + 0.16 * (out % 3)
        middle = start + (end - start) * part[:, None]
        for place, value, shade in zip(middle, values, shades, strict=True):
            axes.annotate(
                f"{value:.2g}",
                place,
                ha="center",
                va="center",
                fontsize=6.5,
                color=shade,
                zorder=2,
                bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"},
            )


def _neurons(
    axes: Any,
    place: int,
    heights: Float[np.ndarray, " n"],
    alive: np.ndarray,
    biases: Float[np.ndarray, " n"],
) -> None:
    for height, lives, bias in zip(heights, alive, biases, strict=True):
        axes.scatter(
            place,
            height,
            s=520,
            facecolor="white",
            edgecolor="black" if lives else QUIET,
            linestyle="-" if lives else "--",
            zorder=3,
        )
        if lives:
            axes.annotate(
                f"{bias:+.2f}",
                (place, height),
                ha="center",
                va="center",
                fontsize=6.5,
                zorder=4,
            )


def _names(
    axes: Any, place: int, heights: np.ndarray, names: Sequence[str], side: str
) -> None:
    offset = -7 if side == "right" else 17
    for height, name in zip(heights, names, strict=True):
        axes.annotate(
            name,
            (place, height),
            xytext=(offset, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=8.5,
        )


def _legend(
    figure: Any, axes: Any, names: Sequence[str], used: np.ndarray, title: str
) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=POSITIVE, lw=3, label="positive weight"),
        Line2D([], [], color=NEGATIVE, lw=3, label="negative weight"),
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            mfc="white",
            mec="black",
            ms=10,
            label="neuron with its bias",
        ),
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            mfc="white",
            mec=QUIET,
            mew=1,
            ms=10,
            label="neuron not used",
        ),
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8
    )
    if title:
        figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    idle = [name for place, name in enumerate(names) if place not in set(used.tolist())]
    if idle:
        listed = ", ".join(idle[:12]) + (", …" if len(idle) > 12 else "")
        axes.set_title(f"Not used: {listed}", fontsize=7.5, color="#555555", loc="left")


def _places(number: int, tallest: int) -> Float[np.ndarray, " n"]:
    """Heights of a column, spread over the tallest column's height, from the top."""
    gap = (tallest - 1) / max(1, number - 1) if number > 1 else 0.0
    gap = min(gap, 2.0)
    return (np.arange(number)[::-1] - (number - 1) / 2) * gap


def _check(
    network: ReLUNetwork, feature_names: Sequence[str], output_names: Sequence[str]
) -> None:
    wanted = (
        ("feature_names", feature_names, network.weights[0].shape[1], "features"),
        ("output_names", output_names, len(network.biases[-1]), "outputs"),
    )
    for name, given, number, of in wanted:
        if len(given) != number:
            raise ValueError(
                f"{name} has {len(given)} names for {number} {of}; give one each."
            )
