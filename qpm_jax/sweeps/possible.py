"""Which runs of a grid can be: the corners of a grid often cannot.

A cell that cannot be, such as 8 features a class of 5, is left out with its reason. A
value none of whose cells can be is a mistake, and refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from qpm_jax.phases import data
from qpm_jax.phases.checks import check_classes, check_settings
from qpm_jax.sweeps.expansion import Run

CountClasses = Callable[[ConfigDict], int]


def split_possible(
    runs: Sequence[Run], count_classes: CountClasses | None = None
) -> tuple[tuple[Run, ...], dict[str, str]]:
    """Returns the runs that can be, and the names of the others with the reason.

    Args:
      runs: A whole grid.
      count_classes: Gives the classes of a configuration's data set; None leaves
        unchecked whether there are enough sets of features for them.

    Raises:
      ValueError: No run with some value of an axis can be, or none at all.
    """
    reasons = {run.name: _reason(run.config, count_classes) for run in runs}
    for key, value in _hopeless(runs, reasons):
        first = next(r for r in runs if key is None or r.values[key] == value)
        what = f"with {key}={value} " if key else ""
        raise ValueError(f"No run {what}is possible: {reasons[first.name]}")
    possible = tuple(run for run in runs if reasons[run.name] is None)
    return possible, {name: reason for name, reason in reasons.items() if reason}


def class_counter() -> CountClasses:
    """Returns a function that loads each data set once and counts its classes."""
    counts: dict[tuple[str, str, bool], int] = {}

    def of(config: ConfigDict) -> int:
        options = json.dumps(config.dataset.options.to_dict(), sort_keys=True)
        chosen = (config.dataset.name, options, config.input.skip_unreadable)
        if chosen not in counts:
            counts[chosen] = len(data.load(config).class_names)
        return counts[chosen]

    return of


def _reason(config: ConfigDict, count_classes: CountClasses | None) -> str | None:
    """Returns why the run cannot be; None where it can."""
    try:
        check_settings(config)
        if count_classes is not None:
            classes = count_classes(config)
            check_classes(classes, config.num_features, config.per_class)
    except ValueError as error:
        return str(error)
    return None


def _hopeless(
    runs: Sequence[Run], reasons: Mapping[str, str | None]
) -> list[tuple[str | None, Any]]:
    """Returns (key, value) of which no run can be; (None, None) for all of them."""
    if all(reasons[run.name] for run in runs):
        return [(None, None)]
    able = [run for run in runs if reasons[run.name] is None]
    return [
        (key, value)
        for run in runs
        for key, value in run.values.items()
        if all(other.values[key] != value for other in able)
    ]
