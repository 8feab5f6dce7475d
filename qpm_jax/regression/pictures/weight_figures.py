"""What a ternary model looks at: weights over an image's pixels, or over a graph.

As Fig. 3 and 4 of Tule, Le, Say, arXiv 2112.00434: black is +1, white −1, grey 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from qpm_jax.canvas import QUIET, blank, png
from qpm_jax.regression.pictures.feature_graph import layout

_IMAGES_ACROSS, _GRAPHS_ACROSS = 5, 3
_GREY = 0.62
_CROWDED = 80  # more features than this get smaller marks in larger panels
_SHADES = {1: ("black", "+1"), 0: (str(_GREY), "0"), -1: ("white", "−1")}


def weight_picture(
    coefficients: Int[ArrayLike, "C F"],
    image_shape: tuple[int, int],
    class_names: Sequence[str],
    title: str,
) -> bytes:
    """Draws every class's weights as an image (Fig. 3).

    Args:
        coefficients: −1, 0 or 1, [C, F].
        image_shape: (height, width), F pixels row by row.
        class_names: one a class.
        title: such as the data set's name.

    Returns:
        A PNG file.

    Raises:
        ValueError: when names or pixels do not fit the weights.
    """
    weights = _checked(coefficients, class_names)
    height, width = image_shape
    if height * width != weights.shape[1]:
        raise ValueError(
            f"image_shape is {image_shape} for {weights.shape[1]} weights a class;"
            " height times width must be their number."
        )
    across = min(len(weights), _IMAGES_ACROSS)
    down = -(-len(weights) // across)
    figure = blank(
        1.75 * across + 0.2, 1.75 * height / width * down + 0.32 * down + 0.7
    )
    panels = figure.subplots(down, across, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, row, name in zip(panels.flat, weights, class_names, strict=False):
        shades = np.choose(row + 1, (1.0, _GREY, 0.0)).reshape(height, width)
        axes.imshow(shades, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        axes.set_axis_on()
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(name, fontsize=9)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    _shade_legend(figure)
    return png(figure)


def feature_graph_picture(
    coefficients: Int[ArrayLike, "C F"],
    edges: Int[ArrayLike, "E 2"],
    class_names: Sequence[str],
    feature_names: Sequence[str],
    title: str,
) -> bytes:
    """Draws every class's weights over the graph of features (Fig. 4).

    Args:
        coefficients: −1, 0 or 1, [C, F].
        edges: pairs of features that behave alike, from `feature_graph`.
        class_names: one a class.
        feature_names: one a feature.
        title: such as the data set's name.

    Returns:
        A PNG file, a panel a class, features at the same place in each, named where
        they have a weight.

    Raises:
        ValueError: when names do not fit the weights.
    """
    weights = _checked(coefficients, class_names)
    if len(feature_names) != weights.shape[1]:
        raise ValueError(
            f"feature_names has {len(feature_names)} names for {weights.shape[1]}"
            " features; give one a feature."
        )
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    places = layout(pairs, weights.shape[1])
    across = min(len(weights), _GRAPHS_ACROSS)
    down = -(-len(weights) // across)
    scale = 1.3 if weights.shape[1] > _CROWDED else 1.0
    figure = blank(5.2 * scale * across, 4.6 * scale * down + 0.7)
    panels = figure.subplots(down, across, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, row, name in zip(panels.flat, weights, class_names, strict=False):
        _graph(axes, places, pairs, row, feature_names)
        axes.set_title(name, fontsize=12)
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    _shade_legend(figure)
    return png(figure)


def _graph(
    axes: Any,
    places: Float[np.ndarray, "F 2"],
    pairs: Int[np.ndarray, "E 2"],
    row: Int[np.ndarray, " F"],
    feature_names: Sequence[str],
) -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(
        LineCollection(list(places[pairs]), colors=QUIET, alpha=0.35, linewidths=0.7)
    )
    crowded = len(row) > _CROWDED
    for weight, (shade, _) in sorted(_SHADES.items(), key=lambda item: abs(item[0])):
        chosen = places[row == weight]
        size = (14 if crowded else 30) if weight else (8 if crowded else 16)
        axes.scatter(
            *chosen.T, s=size, c=shade, edgecolors="black", linewidths=0.5, zorder=2
        )
    upwards = _above_neighbours(places, pairs)
    for feature in np.flatnonzero(row).tolist():
        axes.annotate(
            feature_names[feature],
            places[feature],
            xytext=(0, 3.5 if upwards[feature] else -3.5),
            textcoords="offset points",
            ha="center",
            va="bottom" if upwards[feature] else "top",
            fontsize=5 if crowded else 6.5,
            zorder=3,
        )
    axes.set_xlim(-1.12, 1.12)
    axes.set_ylim(-1.08, 1.12)


def _above_neighbours(
    places: Float[np.ndarray, "F 2"], pairs: Int[np.ndarray, "E 2"]
) -> Bool[np.ndarray, " F"]:
    """Whether a feature lies above the middle of those it is joined to.

    Names go to the outer side, where they do not cover each other.
    """
    heights = places[:, 1]
    lift = np.zeros(len(places))
    np.add.at(lift, pairs[:, 0], heights[pairs[:, 0]] - heights[pairs[:, 1]])
    np.add.at(lift, pairs[:, 1], heights[pairs[:, 1]] - heights[pairs[:, 0]])
    return lift >= 0


def _shade_legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], ls="", marker="o", mfc=shade, mec="black", mew=0.6, label=text)
        for shade, text in _SHADES.values()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9
    )


def _checked(
    coefficients: Int[ArrayLike, "C F"], class_names: Sequence[str]
) -> Int[np.ndarray, "C F"]:
    weights = np.asarray(coefficients).astype(np.int64)
    if weights.ndim != 2 or len(weights) != len(class_names):
        raise ValueError(
            f"coefficients has shape {weights.shape}; it must be [C, F], with a row for"
            f" each of the {len(class_names)} class_names."
        )
    return weights
