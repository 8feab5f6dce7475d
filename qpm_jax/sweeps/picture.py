"""A metric against the first axis of a sweep, a line a value of the others."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from qpm_jax.phases.metric_table import METRICS
from qpm_jax.regression.canvas import QUIET, blank, percent_axis, plain, png
from qpm_jax.sweeps.collect import Row, mean_and_deviation

_COLOURS = ("#2b62b5", "#c8352b", "#2f8f4e", "#e08a1e", "#7a4fb0", "#3b8ea5")
_MARKS = "osD^vP"
# Words for the axes people vary most.
_LABELS = {
    "num_features": "features (n)",
    "per_class": "features a class (k)",
}


def sweep_picture(
    rows: Sequence[Row], keys: Sequence[str], title: str, metric: str = "accuracy"
) -> tuple[bytes, bytes]:
    """Draws a metric of QPM, with the dense model's as a dashed line.

    Bars are the standard deviation over the seeds, where there are several.

    Args:
      rows: `collect`'s; at least one of QPM.
      keys: The sweep's; without any, the seeds are the x axis.
      title: such as the data set's name.
      metric: A name of `metrics.json`.

    Returns:
      A PNG and an SVG file.

    Raises:
      ValueError: No row has the metric.
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; metrics are {', '.join(METRICS)}.")
    drawn = [
        row
        for row in rows
        if row.model == "qpm" and mean_and_deviation(row, metric) is not None
    ]
    if not drawn:
        raise ValueError(f"no finished run has the metric {metric}.")
    figure = blank(6.4, 4.2)
    axes = figure.subplots()
    if keys:
        _cells(axes, drawn, keys, metric)
        axes.set_xlabel(_LABELS.get(keys[0], keys[0]))
    else:
        _seeds(axes, drawn[0], metric)
    _dense_line(axes, rows, metric)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_ylabel(METRICS[metric].label.lower())
    plain(axes)
    if not metric.startswith("features"):
        percent_axis(axes)
    _legend(figure, axes, keys)
    return png(figure), _svg(figure)


def _cells(axes: Any, rows: Sequence[Row], keys: Sequence[str], metric: str) -> None:
    """A line for each combination of what is not on the x axis."""
    points = list(dict.fromkeys(row.values[keys[0]] for row in rows))
    numbers = all(
        isinstance(point, int | float) and not isinstance(point, bool)
        for point in points
    )
    places = {point: point if numbers else n for n, point in enumerate(points)}
    lines: dict[str, list[Row]] = {}
    for row in rows:
        label = ", ".join(_words(key, row.values[key], keys) for key in keys[1:])
        lines.setdefault(label, []).append(row)
    for number, (label, line) in enumerate(lines.items()):
        both = np.array([mean_and_deviation(row, metric) for row in line], dtype=float)
        axes.errorbar(
            [places[row.values[keys[0]]] for row in line],
            both[:, 0],
            yerr=np.nan_to_num(both[:, 1]) if np.isfinite(both[:, 1]).any() else None,
            marker=_MARKS[number % len(_MARKS)],
            color=_COLOURS[number % len(_COLOURS)],
            label=label or "QPM",
            lw=1.8,
            ms=5,
            capsize=3,
        )
    axes.set_xticks(list(places.values()), [str(point) for point in points])
    axes.minorticks_off()


def _seeds(axes: Any, row: Row, metric: str) -> None:
    values = [metrics[metric] for metrics in row.metrics]
    places = np.arange(len(values))
    axes.plot(places, values, "o", color=_COLOURS[0], label="QPM", ms=6)
    axes.set_xticks(places, [str(seed) for seed in row.seeds])
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_xlabel("seed")


def _dense_line(axes: Any, rows: Sequence[Row], metric: str) -> None:
    """Across the picture where all cells have the same dense model."""
    dense = [row for row in rows if row.model == "dense"]
    both = mean_and_deviation(dense[0], metric) if len(dense) == 1 else None
    if both is None:
        return
    mean, deviation = both
    axes.axhline(mean, color=QUIET, ls="--", lw=1.3, label="dense", zorder=1)
    if np.isfinite(deviation):
        axes.axhspan(
            mean - deviation, mean + deviation, color=QUIET, alpha=0.12, lw=0, zorder=0
        )


def _words(key: str, value: Any, keys: Sequence[str]) -> str:
    """The value alone where the legend's title names its key."""
    return str(value) if len(keys) == 2 else f"{key} {value}"


def _legend(figure: Any, axes: Any, keys: Sequence[str]) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        title=_LABELS.get(keys[1], keys[1]) if len(keys) == 2 else None,
        loc="outside right upper",
        frameon=False,
        fontsize=9,
        title_fontsize=9,
    )


def _svg(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
