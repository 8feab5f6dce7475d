"""Finished runs of a work directory: a line each in runs.jsonl, weights beside it."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from qpm_jax import files
from qpm_jax.finished_runs import append_run, read_runs
from qpm_jax.regression.experiments.runs import Outcome, Run

Records = dict[Run, dict[str, Any]]
_DIGITS = 8  # of the hash in a file's name


def read_records(workdir: str | Path) -> Records:
    """Reads what is done.

    Args:
        workdir: folder of the experiment; it need not exist.

    Returns:
        Every finished run with its figures, the latest where one was done twice.

    Raises:
        ValueError: a line that is not a run's.
    """
    return dict(read_runs(workdir, _from_values))


def write_outcome(workdir: str | Path, run: Run, outcome: Outcome) -> None:
    """Keeps a finished run: its weights, then its line, each written whole.

    Args:
        workdir: folder of the experiment, made where needed.
        run: what was done.
        outcome: what it gave.

    Raises:
        OSError: the disk is full or the folder cannot be written; the lines before stay
            as they are.
    """
    arrays = {
        "coefficients": outcome.model.coefficients,
        "intercepts": outcome.model.intercepts,
        "classes": outcome.model.classes,
        "training": outcome.training,
        "feature_names": np.array(outcome.table.feature_names),
    }
    certified = {} if outcome.radius is None else {"radius": outcome.radius}
    files.write_arrays(weights_path(workdir, run), arrays | certified)
    append_run(workdir, _as_line(run, outcome.record))


def weights_path(workdir: str | Path, run: Run) -> Path:
    """Where the weights of a run are kept, an .npz file.

    It holds coefficients [K, F], intercepts [K], classes [K], the rows of the table
    that trained, feature_names [F] and, where predictions are certified, the radius [M]
    of every other row, in their order (`robustness.Certificate`).

    Args:
        workdir: folder of the experiment.
        run: which run. A hash in the name stands for the pool and the settings of the
            model, so that a run never takes the weights of another.
    """
    wrong = f"-{run.corruption:g}-wrong" if run.corruption else ""
    name = f"{run.table}-{run.size}-{run.model}-seed{run.seed}{wrong}-{_hash(run)}.npz"
    return Path(workdir) / "weights" / name


def _hash(run: Run) -> str:
    """The same for equal runs: 5 and 5.0 are equal, and so are what they spell here."""
    settings = {
        key: float(value) if isinstance(value, int) else value
        for key, value in run.settings
    }
    text = json.dumps([run.draw_from, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _as_line(run: Run, record: dict[str, Any]) -> str:
    values = asdict(run) | {"settings": dict(run.settings)}
    return json.dumps(values | {"figures": record}, allow_nan=False)


def _from_values(values: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    record = values.pop("figures")
    settings = tuple(sorted(values.pop("settings").items()))
    return Run(settings=settings, **values), record
