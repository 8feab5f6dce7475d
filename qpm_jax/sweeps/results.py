"""Table and picture of a sweep, written into its folder from what is there."""

from qpm_jax import files
from qpm_jax.sweeps.collect import Row, collect, unfinished
from qpm_jax.sweeps.picture import sweep_picture
from qpm_jax.sweeps.record import Sweep
from qpm_jax.sweeps.tables import as_csv, as_markdown

_NOTE = "Mean ± standard deviation over the runs of a cell; fractions in percent.\n"


def write_results(sweep: Sweep, metric: str = "accuracy") -> list[Row]:
    """Writes table.csv, table.md, plot.png and plot.svg.

    Args:
      sweep: With at least one evaluated run.
      metric: What the plot shows, by its name in `metrics.json`.

    Returns:
      The rows of the table.

    Raises:
      ValueError: No run is evaluated yet, or none has the metric.
    """
    rows = collect(sweep)
    if not rows:
        raise ValueError(
            f"{sweep.workdir} has no evaluated run yet, so there is nothing to collect."
        )
    missing = unfinished(sweep)
    note = ""
    if missing:
        names = ", ".join(run.name for run in missing)
        note = f"\nNot finished, {len(missing)} of {len(sweep.runs)} runs: {names}\n"
    table = as_markdown(rows, sweep.keys)
    files.write_text(sweep.workdir / "table.csv", as_csv(rows, sweep.keys))
    files.write_text(sweep.workdir / "table.md", f"{table}\n{_NOTE}{note}")
    config = sweep.config
    title = f"{config.dataset.name}, {config.model.name}"
    png, svg = sweep_picture(rows, sweep.keys, title, metric)
    files.write_bytes(sweep.workdir / "plot.png", png)
    files.write_bytes(sweep.workdir / "plot.svg", svg)
    return rows
