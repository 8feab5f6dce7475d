"""Runs an experiment in a work directory: what is done is not done again."""

import logging
from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.datasets import tables
from qpm_jax.regression.experiments.records import Records, read_records, write_outcome
from qpm_jax.regression.experiments.run_figures import pictures
from qpm_jax.regression.experiments.runs import Run, draw, execute, planned_runs
from qpm_jax.regression.experiments.table import tables as as_tables

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], object]


def run(
    config: ConfigDict, workdir: str | Path, progress: Progress | None = None
) -> Records:
    """Does every run of a configuration that is not done, then tables and pictures.

    Args:
        config: see `settings.default`.
        workdir: gets runs.jsonl with a line a finished run, weights/, table.md and
            figures/.
        progress: called with the runs done and all runs, also before the first.

    Returns:
        The records of the configuration's runs.

    Raises:
        ValueError: a data set that is not there, or a run that cannot be.
        KeyboardInterrupt: a run was interrupted; those before are kept.
    """
    workdir = Path(workdir)
    runs = list(planned_runs(config))
    done = read_records(workdir)
    source = tables.load(config.table.name, config.table.root or None)
    for planned in {one.size: one for one in runs}.values():
        draw(source, planned)  # refuses a size now, not after hours of smaller ones
    for number, planned in enumerate(runs):
        if progress is not None:
            progress(number, len(runs))
        if planned in done:
            continue
        outcome = execute(source, planned)
        write_outcome(workdir, planned, outcome)
        done[planned] = outcome.record
        _log(planned, outcome.record["test_accuracy"], number + 1, len(runs))
    if progress is not None:
        progress(len(runs), len(runs))
    records = {planned: done[planned] for planned in runs}
    files.write_text(workdir / "table.md", as_tables(records))
    for name, picture in pictures(records, source, workdir):
        files.write_bytes(workdir / "figures" / name, picture)
    return records


def _log(planned: Run, accuracy: float, number: int, total: int) -> None:
    wrong = (
        f", {100 * planned.corruption:g} % wrong labels" if planned.corruption else ""
    )
    logger.info(
        "%d of %d: %s, %d instances, %s, seed %d%s: test accuracy %.1f %%",
        *(number, total, planned.table, planned.size, planned.model, planned.seed),
        *(wrong, 100 * accuracy),
    )
