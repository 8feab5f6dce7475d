"""One configuration over a grid and seeds: runs, one table, one picture.

`expand` turns a configuration and axes into named runs; `run_side_by_side`, `submit`
and `script` make them on this machine, on SLURM or anywhere; `write_results` collects.
Runs that begin alike share their first phases. `launch.sweep` is the command.
"""

from qpm_jax.sweeps.axes import Axis, parse_axis
from qpm_jax.sweeps.cluster import Resources, submit
from qpm_jax.sweeps.collect import Row, collect
from qpm_jax.sweeps.commands import script
from qpm_jax.sweeps.donors import all_fingerprints
from qpm_jax.sweeps.expansion import Run, expand
from qpm_jax.sweeps.possible import class_counter, split_possible
from qpm_jax.sweeps.record import Sweep, open_sweep, read_sweep
from qpm_jax.sweeps.results import write_results
from qpm_jax.sweeps.side_by_side import Failure, run_side_by_side

__all__ = [
    "Axis",
    "Failure",
    "Resources",
    "Row",
    "Run",
    "Sweep",
    "all_fingerprints",
    "class_counter",
    "collect",
    "expand",
    "open_sweep",
    "parse_axis",
    "read_sweep",
    "run_side_by_side",
    "script",
    "split_possible",
    "submit",
    "write_results",
]
