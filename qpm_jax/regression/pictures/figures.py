"""Accuracy, its drop by wrong labels, and robustness, as PNG files.

As Fig. 1 and 2 of Tule, Le, Say, arXiv 2112.00434; the robustness curves are beyond the
paper. S training sizes, K seeds; lines are means over the seeds, shades their standard
deviation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from qpm_jax.canvas import QUIET, blank, percent_axis, plain, png
from qpm_jax.regression.pictures.model_style import MODEL_COLOURS, MODEL_NAMES

Accuracies = Mapping[str, Float[np.ndarray, "S K"]]
_PANELS_ACROSS = 4


def accuracy_picture(
    sizes: Sequence[int], training: Accuracies, test: Accuracies, title: str
) -> bytes:
    """Draws training and test accuracy against the training size (Fig. 1).

    Args:
        sizes: S training sizes, ascending.
        training: model to float64 [S, K].
        test: likewise.
        title: such as the data set's name.

    Returns:
        A PNG file of two panels.

    Raises:
        ValueError: when there is no model, or its array is not [S, K].
    """
    _check("training", sizes, training)
    _check("test", sizes, test)
    figure = blank(9.0, 3.9)
    panels = figure.subplots(1, 2)
    for axes, values, name in zip(
        panels, (training, test), ("training", "test"), strict=True
    ):
        for model, accuracies in values.items():
            _line(axes, sizes, accuracies, model)
        axes.set_title(f"{name} accuracy", loc="left", fontsize=10)
        axes.set_xlabel("training instances")
        _size_axis(axes, sizes)
        plain(axes)
        percent_axis(axes)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    _legend_below(figure, panels[0])
    return png(figure)


def corruption_picture(
    sizes: Sequence[int],
    standard: Accuracies,
    corrupted: Accuracies,
    title: str,
) -> bytes:
    """Draws test accuracy after training on wrong labels, and what they cost (Fig. 2).

    Args:
        sizes: S training sizes, ascending.
        standard: model to test accuracy [S, K] after training on the right labels.
        corrupted: the same models after training on partly wrong ones.
        title: such as the data set's name.

    Returns:
        A PNG file: a bar a size and model, black from the corrupted to the standard
        accuracy; where wrong labels helped, the gain is hatched.

    Raises:
        ValueError: when the models differ, there is none, or an array is not [S, K].
    """
    _check("standard", sizes, standard)
    _check("corrupted", sizes, corrupted)
    if list(standard) != list(corrupted):
        raise ValueError(
            f"corrupted has {', '.join(corrupted)}; it must have the models of"
            f" standard, {', '.join(standard)}."
        )
    figure = blank(max(7.0, 1.1 * len(sizes) + 2.5), 3.9)
    axes = figure.subplots()
    width = 0.8 / len(standard)
    for number, model in enumerate(standard):
        places = np.arange(len(sizes)) + (number - (len(standard) - 1) / 2) * width
        _bars(axes, places, width, standard[model], corrupted[model], model)
    axes.bar([0], [0], color="black", label="drop")
    if any(
        (corrupted[m].mean(axis=1) > standard[m].mean(axis=1)).any() for m in standard
    ):
        axes.bar([0], [0], color="white", edgecolor=QUIET, hatch="////", label="gain")
    axes.set_xticks(np.arange(len(sizes)), [str(size) for size in sizes])
    axes.set_xlabel("training instances")
    axes.set_title("test accuracy", loc="left", fontsize=10)
    plain(axes)
    percent_axis(axes)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    _legend_below(figure, axes)
    return png(figure)


def robustness_picture(
    sizes: Sequence[int],
    curves: Mapping[str, Sequence[Float[np.ndarray, " R"]]],
    title: str,
) -> bytes:
    """Draws which share of the test instances any r feature flips leave right.

    Args:
        sizes: S training sizes.
        curves: model to S arrays, entry r the share at r flips; see
            `robustness.robust_accuracy`.
        title: such as the data set's name.

    Returns:
        A PNG file, a panel a size.

    Raises:
        ValueError: when a model has another number of curves, or there is no model.
    """
    if not curves or any(len(lines) != len(sizes) for lines in curves.values()):
        raise ValueError(
            f"curves has {[len(lines) for lines in curves.values()]} curves a model;"
            f" it must have {len(sizes)} for each of at least one model."
        )
    across = min(len(sizes), _PANELS_ACROSS)
    down = -(-len(sizes) // across)
    figure = blank(max(4.2, 2.6 * across + 0.5), 2.5 * down + 0.9)
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    highest = max(shares[0] for lines in curves.values() for shares in lines)
    panels[0, 0].set_ylim(0.0, min(1.0, 1.08 * highest) or 1.0)
    for place, axes in enumerate(panels.flat):
        axes.set_visible(place < len(sizes))
        if place < len(sizes):
            lines = {model: values[place] for model, values in curves.items()}
            _robustness_panel(axes, lines, f"{sizes[place]} instances")
        if place >= len(sizes) - across:
            axes.set_xlabel("features that flip", fontsize=9)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    _legend_below(figure, panels[0, 0])
    return png(figure)


def _robustness_panel(
    axes: Any, lines: Mapping[str, Float[np.ndarray, " R"]], name: str
) -> None:
    for place, (model, shares) in enumerate(lines.items()):
        closed = np.append(shares, 0.0)  # nothing holds beyond the largest radius
        axes.step(
            np.arange(len(closed)),
            closed,
            where="mid",
            color=MODEL_COLOURS.get(model, QUIET),
            label=_name(model),
            # The first curve stays in sight where others coincide with it, and they.
            lw=2.6 if place else 1.3,
            zorder=3 - 0.1 * place,
        )
    axes.set_title(name, loc="left", fontsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True)
    plain(axes)
    percent_axis(axes)


def _line(
    axes: Any, sizes: Sequence[int], accuracies: Float[np.ndarray, "S K"], model: str
) -> None:
    """A mean with its spread."""
    mean, spread = accuracies.mean(axis=1), accuracies.std(axis=1)
    colour = MODEL_COLOURS.get(model, QUIET)
    axes.fill_between(
        sizes, mean - spread, mean + spread, color=colour, alpha=0.08, lw=0
    )
    axes.plot(sizes, mean, "o-", color=colour, label=_name(model), lw=1.8, ms=4)


def _bars(
    axes: Any,
    places: Float[np.ndarray, " S"],
    width: float,
    standard: Float[np.ndarray, "S K"],
    corrupted: Float[np.ndarray, "S K"],
    model: str,
) -> None:
    """One model's bars: what is left in colour, what was lost in black above it."""
    before, after = standard.mean(axis=1), corrupted.mean(axis=1)
    colour = MODEL_COLOURS.get(model, QUIET)
    kept = np.minimum(before, after)
    axes.bar(places, kept, 0.92 * width, color=colour, label=_name(model))
    axes.bar(places, np.maximum(before - after, 0), 0.92 * width, kept, color="black")
    gained = np.maximum(after - before, 0)
    axes.bar(
        places,
        gained,
        0.92 * width,
        kept,
        color="white",
        edgecolor=colour,
        hatch="////",
    )


def _size_axis(axes: Any, sizes: Sequence[int]) -> None:
    """A tick a size; far apart sizes on a scale of equal ratios."""
    if max(sizes) > 10 * min(sizes):
        axes.set_xscale("log")
    axes.set_xticks(list(sizes), [str(size) for size in sizes])
    axes.minorticks_off()


def _name(model: str) -> str:
    return MODEL_NAMES.get(model, model)


def _legend_below(figure: Any, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=len(labels),
        frameon=False,
        fontsize=9,
    )


def _check(name: str, sizes: Sequence[int], values: Accuracies) -> None:
    wrong = [m for m, v in values.items() if v.ndim != 2 or len(v) != len(sizes)]
    if wrong or not values or not sizes:
        raise ValueError(
            f"{name} has {'no models' if not values else f'another shape for {wrong}'};"
            f" it must have [S, K] for at least one model, S = {len(sizes)} sizes."
        )
