"""A metric against the first axis of a sweep, a line a value of the others."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qpm_jax.canvas import QUIET, blank, percent_axis, plain, png
from qpm_jax.phases.metric_table import METRICS
from qpm_jax.sweeps.collect import Row, mean_and_deviation

_COLOURS = ("#2b62b5", "#c8352b", "#2f8f4e", "#e08a1e", "#7a4fb0", "#3b8ea5")
_MARKS = "osD^vP"
_DENSE = "dense model"
_APART = 0.01  # of the x axis, so that bars of several lines do not hide each other
# Words and symbols for the axes people vary most.
_LABELS = {"num_features": "features (n)", "per_class": "features a class (k)"}
_SYMBOLS = {"num_features": "n", "per_class": "k"}


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
    drawn = _with_metric(rows, metric)
    figure = blank(6.4, 4.2)
    axes = figure.subplots()
    if keys:
        _cells(axes, drawn, keys, metric)
        axes.set_xlabel(_LABELS.get(keys[0], keys[0]))
    else:
        _seeds(axes, drawn[0], metric)
    _dense_line(axes, rows, metric)
    axes.set_title(title, loc="left", fontsize=11)
    if keys and any(len(row.seeds) > 1 for row in drawn):
        axes.set_title(_bars(drawn), loc="right", fontsize=9, color=QUIET)
    axes.set_ylabel(METRICS[metric].label.lower())
    plain(axes)
    if not metric.startswith("features"):
        percent_axis(axes)
    _legend(figure, axes)
    return png(figure), _svg(figure)


def _with_metric(rows: Sequence[Row], metric: str) -> list[Row]:
    """Returns QPM's rows that have the metric; at least one."""
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; metrics are {', '.join(METRICS)}.")
    drawn = [
        row
        for row in rows
        if row.model == "qpm" and mean_and_deviation(row, metric) is not None
    ]
    if not drawn:
        raise ValueError(f"no finished run has the metric {metric}.")
    return drawn


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
        parts = (f"{_SYMBOLS.get(key, key)} = {row.values[key]}" for key in keys[1:])
        lines.setdefault(", ".join(parts), []).append(row)
    width = _APART * (max(places.values()) - min(places.values()))
    for number, (label, line) in enumerate(lines.items()):
        both = np.array([mean_and_deviation(row, metric) for row in line], dtype=float)
        bars = np.isfinite(both[:, 1]).any()
        axes.errorbar(
            [
                places[row.values[keys[0]]] + width * _aside(row, label, lines, keys[0])
                for row in line
            ],
            both[:, 0],
            yerr=np.nan_to_num(both[:, 1]) if bars else None,
            marker=_MARKS[number % len(_MARKS)],
            color=_COLOURS[number % len(_COLOURS)],
            label=label or "QPM",
            lw=1.6,
            elinewidth=1.1,
            ms=5,
            capsize=2.5,
        )
    axes.set_xticks(list(places.values()), [str(point) for point in points])
    axes.minorticks_off()


def _aside(row: Row, label: str, lines: Mapping[str, list[Row]], key: str) -> float:
    """Returns how many bars' widths to the right a point with a bar stands."""
    if len(row.seeds) < 2:
        return 0.0
    here = row.values[key]
    crowd = [
        name
        for name, line in lines.items()
        if any(other.values[key] == here for other in line)
    ]
    return crowd.index(label) - (len(crowd) - 1) / 2


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
    axes.axhline(mean, color=QUIET, ls="--", lw=1.3, label=_DENSE, zorder=1)
    if np.isfinite(deviation):
        axes.axhspan(
            mean - deviation, mean + deviation, color=QUIET, alpha=0.12, lw=0, zorder=0
        )


def _bars(rows: Sequence[Row]) -> str:
    counts = sorted({len(row.seeds) for row in rows})
    number = "–".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    return f"± standard deviation of {number} seeds"


def _legend(figure: Any, axes: Any) -> None:
    """QPM's lines first, then the dense model's."""
    pairs = list(zip(*axes.get_legend_handles_labels(), strict=True))
    pairs.sort(key=lambda pair: pair[1] == _DENSE)
    handles, labels = zip(*pairs, strict=True)
    figure.legend(
        handles, labels, loc="outside right center", frameon=False, fontsize=9
    )


def _svg(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
