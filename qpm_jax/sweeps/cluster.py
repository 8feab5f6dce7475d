"""A sweep as SLURM job arrays, through submitit (the extra `qpm-jax[slurm]`).

Runs that train first phases for others are one array; those that take them over are
another, which begins when the first has ended.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qpm_jax.sweeps import child
from qpm_jax.sweeps.donors import Fingerprints, all_fingerprints, take_over_best, waves
from qpm_jax.sweeps.expansion import Run
from qpm_jax.sweeps.record import Sweep, read_sweep

_MOST_LIMITS = 100  # times that a run may reach its time limit and be queued again


@dataclass(frozen=True)
class Resources:
    """What each run asks the scheduler for.

    Attributes:
      minutes: Time limit of a run.
      partition: Queue; empty: the cluster's own choice.
      gpus: Accelerators.
      cpus: Processors; 0: the cluster's own choice.
      memory_gb: Memory in GB; 0: the cluster's own choice.
      parallel: How many runs of an array there may be at a time.
      options: Others of `sbatch` by their name, such as account or constraint.
    """

    minutes: int = 60
    partition: str = ""
    gpus: int = 0
    cpus: int = 0
    memory_gb: float = 0.0
    parallel: int = 256
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What one task of an array does; the scheduler gets it pickled.

    Attributes:
      workdir: The sweep's folder.
      name: Its run.
    """

    workdir: str
    name: str

    def __call__(self) -> None:
        """Takes over what there is by now and makes the run.

        Raises:
          RuntimeError: The run ended before its last phase; the last lines of its log.
        """
        sweep = read_sweep(self.workdir)
        run = sweep.find(self.name)
        if child.is_finished(sweep, run):
            return
        prints = all_fingerprints(sweep)
        process = child.start(
            sweep, run, before=lambda: take_over_best(sweep, run, prints)
        )
        try:
            process.wait()
        finally:
            if process.poll() is None:
                child.end(process)
        if not child.is_finished(sweep, run):
            raise RuntimeError(
                f"{run.name} failed:\n{child.last_words(sweep.folder(run))}"
            )

    def checkpoint(self) -> Any:
        """Puts the run back into the queue at its time limit; it goes on from there."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def submit(
    sweep: Sweep,
    runs: Sequence[Run],
    prints: Fingerprints,
    resources: Resources,
    cluster: str = "slurm",
) -> list[tuple[str, Run]]:
    """Hands runs to the scheduler and returns at once.

    Args:
      sweep: The sweep, in a folder that all machines see.
      runs: Those of its runs to make.
      prints: `donors.all_fingerprints`.
      resources: What each run asks for.
      cluster: `slurm`; submitit's `local` and `debug` make the runs here and now, a
        wave at a time.

    Returns:
      The scheduler's number of each run's job, in the order of the waves.

    Raises:
      ValueError: submitit or SLURM is not there, or SLURM refused.
    """
    submitit = _submitit()
    jobs: list[tuple[str, Run]] = []
    dependency: dict[str, str] = {}
    try:
        for wave in waves(runs, prints):
            executor = submitit.AutoExecutor(
                log_folder(sweep), cluster=cluster, slurm_max_num_timeout=_MOST_LIMITS
            )
            executor.update_parameters(**_parameters(resources), **dependency)
            with executor.batch():
                batch = [
                    executor.submit(Job(str(sweep.workdir), run.name)) for run in wave
                ]
            jobs += [(job.job_id, run) for job, run in zip(batch, wave, strict=True)]
            if cluster != "slurm":
                for job in batch:
                    job.exception()  # waits; what failed is found by its folder
            array = batch[0].job_id.split("_")[0]
            # Also after failures: the runs then train the first phases themselves.
            dependency = {"slurm_dependency": f"afterany:{array}"}
    except (RuntimeError, subprocess.CalledProcessError) as error:
        raise ValueError(
            f"SLURM did not take the runs: {error}. Submit where `srun` and `sbatch` "
            "are, or take --print for another scheduler."
        ) from error
    return jobs


def minutes(text: str) -> int:
    """Reads a time limit as SLURM writes it: minutes, H:M:S or D-H:M:S, rounded up.

    Raises:
      ValueError: It has another form.
    """
    form = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if form is None:
        raise ValueError(
            f"--time={text} is no time limit; give minutes, hours:minutes:seconds or "
            "days-hours:minutes:seconds, such as 90, 4:00:00 or 1-12:00:00."
        )
    days, first, second, third = (int(part or 0) for part in form.groups())
    if form[1] is None and form[3] is None:
        return first
    if form[1] is None and form[4] is None:  # SLURM's M:S
        return first + (second > 0)
    return (24 * days + first) * 60 + second + (third > 0)


def _parameters(resources: Resources) -> dict[str, Any]:
    """Returns the resources under submitit's names; what is not asked for is absent."""
    named = {
        "name": "qpm-sweep",
        "timeout_min": resources.minutes,
        "slurm_partition": resources.partition,
        "gpus_per_node": resources.gpus,
        "cpus_per_task": resources.cpus,
        "mem_gb": resources.memory_gb,
        "slurm_array_parallelism": resources.parallel,
        "slurm_additional_parameters": dict(resources.options),
    }
    return {name: value for name, value in named.items() if value}


def _submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise ValueError(
            "--slurm needs submitit: pip install 'qpm-jax[slurm]'; or take --print for "
            "commands that any scheduler takes."
        ) from error
    return submitit


def log_folder(sweep: Sweep) -> Path:
    """Returns where the scheduler's own logs lie."""
    return sweep.workdir / "slurm"
