"""One configuration over a grid and seeds, with one table and one plot at the end.

python -m launch.sweep --config=configs/birds.py --workdir=runs/sweep
    --grid=num_features=20,30,50 --grid=per_class=3,5 --seeds=0,1,2

Runs that begin alike train their first phases once. WORKDIR gets a folder a run, each
whole by itself, and table.csv, table.md, plot.png and plot.svg. Started again, also
with a larger grid or more seeds, it goes on with what is not finished.

Keys that change together are one axis: --grid=num_features:per_class=20:3,50:5.
--jobs makes several runs at a time here, --slurm hands them to SLURM, --print prints
their commands; --collect makes table and plot of what is there.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

from launch import app, last_phase, seeds
from qpm_jax import sweeps
from qpm_jax.phases.metric_table import METRICS, PAPER
from qpm_jax.phases.workdir import PHASES
from qpm_jax.sweeps import child, cluster, commands, donors, tables
from qpm_jax.sweeps.collect import unfinished

flags.adopt_module_key_flags(seeds)
flags.adopt_module_key_flags(last_phase)
GRID = flags.DEFINE_multi_string(
    "grid", [], "KEY=VALUE,VALUE,... of the configuration; again for another axis."
)
JOBS = flags.DEFINE_integer("jobs", 1, "Runs at a time on this machine.")
DEVICES = flags.DEFINE_list(
    "devices", [], "Accelerators to share out among them, such as 0,1."
)
METRIC = flags.DEFINE_enum("metric", "accuracy", list(METRICS), "What the plot shows.")
PRINT = flags.DEFINE_bool("print", False, "Print the commands instead.")
COLLECT = flags.DEFINE_bool("collect", False, "Only make table and plot.")
TAKE_OVER = flags.DEFINE_string(
    "take_over", "", "Name of a run: only hand it what others have finished for it."
)
SLURM = flags.DEFINE_bool("slurm", False, "Submit to SLURM instead.")
PARTITION = flags.DEFINE_string("partition", "", "SLURM's queue.")
TIME = flags.DEFINE_string("time", "4:00:00", "SLURM's limit of a run.")
GPUS = flags.DEFINE_integer("gpus", 0, "Accelerators of a SLURM job.")
CPUS = flags.DEFINE_integer("cpus", 0, "Processors of a SLURM job; 0: its default.")
MEMORY = flags.DEFINE_float("memory", 0.0, "GB of a SLURM job; 0: its default.")
SBATCH = flags.DEFINE_multi_string(
    "sbatch", [], "Another option of sbatch, such as account=NAME."
)

# Phases after which there is something for the table.
WITH_FIGURES = PHASES[4:]


def main(config: ConfigDict, workdir: str) -> None:
    """Makes, submits or prints the runs, or collects."""
    if COLLECT.value or TAKE_OVER.value:
        existing()
        return
    sweep, runs = _asked(config, Path(workdir).absolute())
    waiting = [run for run in runs if not child.is_finished(sweep, run)]
    passed = len(runs) - len(waiting)
    _say(f"{len(runs)} runs, {passed} of them finished already")
    prints = sweeps.all_fingerprints(sweep)
    if PRINT.value:
        print(sweeps.script(sweep, waiting, prints))
    elif SLURM.value:
        _submit(sweep, waiting, prints)
    else:
        _make(sweep, waiting, prints)


def existing() -> None:
    """Does what needs no configuration: collects, or hands phases to a run."""
    sweep = sweeps.read_sweep(app.workdir())
    if COLLECT.value:
        _collect(sweep)
        return
    run = sweep.find(TAKE_OVER.value)
    try:
        with child.locked(sweep, run):
            taken = donors.take_over_best(sweep, run, sweeps.all_fingerprints(sweep))
    except child.BusyError as error:
        raise ValueError(f"--take_over={run.name}: {error}; wait for it.") from error
    if taken is None:
        _say(f"{run.name}: there is nothing to take over")
    else:
        _say(f"{run.name}: {', '.join(taken[1])} from {taken[0]}")


def _asked(
    config: ConfigDict, workdir: Path
) -> tuple[sweeps.Sweep, Sequence[sweeps.Run]]:
    """Returns the sweep, with all there is in its folder, and the runs asked for."""
    until = last_phase.chosen(WITH_FIGURES)
    axes = [sweeps.parse_axis(text) for text in GRID.value]
    if not axes and seeds.SEEDS.value is None:
        raise ValueError(
            "there is nothing to sweep; give --grid=KEY=VALUE,VALUE,... or --seeds=0,1."
        )
    every = sweeps.expand(config, axes, seeds.chosen([config.seed]))
    # Where runs happen elsewhere, the data set may not be here.
    here = not (PRINT.value or SLURM.value)
    runs, left_out = sweeps.split_possible(
        every, sweeps.class_counter() if here else None
    )
    for name, reason in left_out.items():
        _say(f"left out {name}: {reason}")
    keys = tuple(key for axis in axes for key in axis.keys)
    asked = sweeps.Sweep(
        workdir=workdir,
        config=config,
        arguments=_arguments(config, varied=("seed", *keys)),
        keys=keys,
        until=until,
        runs=runs,
    )
    return sweeps.open_sweep(asked), runs


def _arguments(config: ConfigDict, varied: Sequence[str]) -> tuple[str, ...]:
    """Returns the flags that give every run the settings of this command.

    Args:
      config: The settings.
      varied: Keys that each run sets itself.
    """
    flag = flags.FLAGS["config"]
    changed = dict(config_flags.get_override_values(flag))
    options = config.dataset.options.to_dict()
    changed |= {f"dataset.options.{name}": value for name, value in options.items()}
    return (
        f"--config={config_flags.get_config_filename(flag)}",
        *(
            f"--config.{key}={commands.flag_text(value)}"
            for key, value in changed.items()
            if key not in varied
        ),
    )


def _make(
    sweep: sweeps.Sweep, runs: Sequence[sweeps.Run], prints: donors.Fingerprints
) -> None:
    failures = sweeps.run_side_by_side(
        sweep, runs, prints, JOBS.value, DEVICES.value, _say
    )
    for failure in failures:
        log = sweep.folder(failure.run) / child.LOG
        words = "\n".join(f"  {line}" for line in failure.words.splitlines())
        print(f"{failure.run.name} failed ({failure.reason}); {log}:", file=sys.stderr)
        print(words, file=sys.stderr)
    if len(unfinished(sweep)) < len(sweep.runs):
        _collect(sweep)
    if failures:
        app.stop(
            f"{len(failures)} of {len(runs)} runs failed. The same command tries them "
            "again and passes over what is finished."
        )


def _submit(
    sweep: sweeps.Sweep, runs: Sequence[sweeps.Run], prints: donors.Fingerprints
) -> None:
    wrong = [text for text in SBATCH.value if "=" not in text]
    if wrong:
        raise ValueError(f"--sbatch={wrong[0]} has no value; give --sbatch=NAME=VALUE.")
    resources = sweeps.Resources(
        minutes=cluster.minutes(TIME.value),
        partition=PARTITION.value,
        gpus=GPUS.value,
        cpus=CPUS.value,
        memory_gb=MEMORY.value,
        options=dict(text.split("=", 1) for text in SBATCH.value),
    )
    for job, run in sweeps.submit(sweep, runs, prints, resources):
        print(f"{job}  {run.name}")
    print(
        f"Logs: {cluster.log_folder(sweep)}. Table and plot of what is finished: "
        f"python -m launch.sweep --workdir={sweep.workdir} --collect"
    )


def _collect(sweep: sweeps.Sweep) -> None:
    rows = sweeps.write_results(sweep, METRIC.value)
    print(tables.as_markdown(rows, sweep.keys, PAPER), end="")
    missing = sum(not child.is_finished(sweep, run) for run in sweep.runs)
    if missing:
        print(f"{missing} of {len(sweep.runs)} runs are not finished.")
    print(f"Table and plot: {sweep.workdir}/table.md, table.csv, plot.png, plot.svg")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    given = {re.split("=", argument.lstrip("-"))[0] for argument in sys.argv[1:]}
    if given & {"collect", "take_over"} and "config" not in given:
        flags.mark_flag_as_required("workdir")
        app.run(existing)
    else:
        app.run_phase(main)
