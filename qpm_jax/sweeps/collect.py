"""Metrics of the finished runs by cell, for the dense model and for QPM."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qpm_jax.phases import evaluate
from qpm_jax.phases import workdir as folders
from qpm_jax.phases.metric_table import METRICS, Values
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep


@dataclass(frozen=True)
class Row:
    """One model of one cell over its seeds.

    Attributes:
      model: `dense` or `qpm`.
      values: Of the axes by dotted key; of a dense model those that it depends on.
      seeds: Of the runs that are evaluated, ascending.
      metrics: Of each of them, by the names of `metrics.json`.
    """

    model: str
    values: dict[str, Any]
    seeds: tuple[int, ...]
    metrics: tuple[Values, ...]


def collect(sweep: Sweep) -> list[Row]:
    """Returns a row for each model of each cell that has an evaluated run.

    The dense models come first, each once: cells that differ in later settings alone
    have the same. Cells are in the order of their values.
    """
    found = [
        (run, evaluate.read_metrics(sweep.folder(run)))
        for run in _in_order(sweep)
        if folders.is_done(sweep.folder(run), "evaluate")
    ]
    rows: dict[tuple[Any, ...], dict[int, Values]] = {}
    named: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
    for model in ("dense", "qpm"):
        for run, metrics in found:
            values = _values(run, model)
            place = (model, *values.items())
            named[place] = model, values
            rows.setdefault(place, {}).setdefault(run.seed, metrics[model])
    return [
        Row(*named[place], seeds, tuple(by_seed[seed] for seed in seeds))
        for place, by_seed in rows.items()
        for seeds in [tuple(sorted(by_seed))]
    ]


def unfinished(sweep: Sweep) -> list[Run]:
    """Returns the runs that are not evaluated yet."""
    return [
        run for run in sweep.runs if not folders.is_done(sweep.folder(run), "evaluate")
    ]


def mean_and_deviation(row: Row, name: str) -> tuple[float, float] | None:
    """Returns a metric's mean and standard deviation (of the sample) over the seeds.

    The deviation of a single run is NaN; None where some run has no value.
    """
    values = [metrics[name] for metrics in row.metrics]
    if any(value is None for value in values):
        return None
    numbers = np.array(values, dtype=float)
    deviation = numbers.std(ddof=1) if len(numbers) > 1 else np.nan
    return float(numbers.mean()), float(deviation)


def defined(rows: Sequence[Row]) -> list[str]:
    """Returns the metrics, in the order of their table, that some run has."""
    return [
        name
        for name in METRICS
        if any(metrics[name] is not None for row in rows for metrics in row.metrics)
    ]


def _values(run: Run, model: str) -> dict[str, Any]:
    if model == "qpm":
        return run.values
    used = folders.used_settings(run.config, "dense")
    return {key: value for key, value in run.values.items() if key in used}


def _in_order(sweep: Sweep) -> list[Run]:
    """Sorts by the axes' values: numbers by size, others as they came."""
    ranks = [_ranks([run.values[key] for run in sweep.runs]) for key in sweep.keys]

    def place(run: Run) -> tuple[int, ...]:
        values = zip(sweep.keys, ranks, strict=True)
        return (*(rank[repr(run.values[key])] for key, rank in values), run.seed)

    return sorted(sweep.runs, key=place)


def _ranks(values: Sequence[Any]) -> dict[str, int]:
    distinct = list({repr(value): value for value in values}.items())
    if all(isinstance(value, int | float) for _, value in distinct):
        distinct.sort(key=lambda pair: pair[1])
    return {text: rank for rank, (text, _) in enumerate(distinct)}
