"""The table of a sweep: every figure for programs, percentages for people."""

import csv
import io
import math
from collections.abc import Sequence

from qpm_jax.phases.metric_table import METRICS
from qpm_jax.sweeps.collect import Row, defined, mean_and_deviation

MODELS = {"dense": "dense", "qpm": "QPM"}


def as_csv(rows: Sequence[Row], keys: Sequence[str]) -> str:
    """Returns a line a model and cell: axes, runs, means, standard deviations.

    Fractions stay fractions. What is not defined is empty, and so is the deviation of
    a single run, and an axis on which a dense model does not depend.

    Args:
      rows: `collect`'s.
      keys: The sweep's.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = [column for name in METRICS for column in (name, f"{name}_std")]
    writer.writerow(["model", *keys, "runs", *figures])
    for row in rows:
        cells: list[object] = [row.model]
        cells += [row.values.get(key, "") for key in keys]
        cells.append(len(row.seeds))
        for name in METRICS:
            both = mean_and_deviation(row, name) or (math.nan, math.nan)
            cells += ["" if math.isnan(value) else f"{value:.9g}" for value in both]
        writer.writerow(cells)
    return text.getvalue()


def as_markdown(
    rows: Sequence[Row], keys: Sequence[str], names: Sequence[str] | None = None
) -> str:
    """Returns the same for people: mean ± standard deviation, in percent.

    Args:
      rows: `collect`'s.
      keys: The sweep's.
      names: Metrics to show; None: all that some run has.
    """
    there = defined(rows)
    shown = [name for name in (there if names is None else names) if name in there]
    heads = ["", *keys, "runs", *(METRICS[name].label for name in shown)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        cells = [MODELS[row.model]]
        cells += [_axis(row.values[key]) if key in row.values else "" for key in keys]
        cells += [str(len(row.seeds)), *(_figure(row, name) for name in shown)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _axis(value: object) -> str:
    return str(value) if value != "" else "(empty)"


def _figure(row: Row, name: str) -> str:
    both = mean_and_deviation(row, name)
    if both is None:
        return "–"
    count = name.startswith("features")  # numbers, not fractions
    mean, deviation = both if count else (100 * both[0], 100 * both[1])
    if count and (math.isnan(deviation) or deviation == 0.0):
        return f"{mean:.4g}"
    return f"{mean:.1f}" + ("" if math.isnan(deviation) else f" ± {deviation:.1f}")
