"""What a sweep is made of, kept in its folder as `sweep.json`.

    sweep.json                                  axes, settings, every run asked for
    num_features=20,per_class=3,seed=0/         a whole run: its phases, output.log
    table.csv, table.md, plot.png, plot.svg     over the runs that are evaluated

A larger grid or more seeds may be asked for later: runs are added, none is forgotten.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.config import from_dict
from qpm_jax.phases.workdir import used_settings
from qpm_jax.sweeps.expansion import Run, make_run


@dataclass(frozen=True)
class Sweep:
    """A sweep as asked for.

    Attributes:
      workdir: Its folder.
      config: Settings of all runs, without axes and seeds.
      arguments: Flags of `launch.pipeline` that give these settings.
      keys: Dotted keys of the axes in order; the first is the plot's x axis.
      until: Last phase of each run.
      runs: Every run.
    """

    workdir: Path
    config: ConfigDict
    arguments: tuple[str, ...]
    keys: tuple[str, ...]
    until: str
    runs: tuple[Run, ...]

    def folder(self, run: Run) -> Path:
        """Returns the work directory of a run."""
        return self.workdir / run.name

    def find(self, name: str) -> Run:
        """Returns the run of that name.

        Raises:
          ValueError: There is none.
        """
        for run in self.runs:
            if run.name == name:
                return run
        raise ValueError(
            f"{self.workdir} has no run {name}; it has "
            f"{', '.join(run.name for run in self.runs)}."
        )


def open_sweep(asked: Sweep) -> Sweep:
    """Makes a sweep's folder, or reopens it and adds the runs that are new.

    Commands that open one folder at the same time do so one after the other, and the
    runs of all of them are kept.

    Returns:
      The sweep with all runs of the folder, those of earlier calls first.

    Raises:
      ValueError: The folder holds another sweep, or a run.
    """
    path = asked.workdir / "sweep.json"
    if not path.exists() and (asked.workdir / "config.json").exists():
        raise ValueError(
            f"{asked.workdir} holds a run, no sweep; take another --workdir."
        )
    with _one_at_a_time(asked.workdir):
        whole = _with_earlier(asked) if path.exists() else asked
        files.write_json(path, _as_json(whole))
    return whole


@contextmanager
def _one_at_a_time(workdir: Path) -> Iterator[None]:
    """Waits for others who change the sweep's file; the lock ends with its process."""
    workdir.mkdir(parents=True, exist_ok=True)
    with (workdir / ".sweep.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _with_earlier(asked: Sweep) -> Sweep:
    """Returns the sweep with the runs that are in its file already put first."""
    before = read_sweep(asked.workdir)
    _refuse_another(before, asked)
    names = {run.name for run in before.runs}
    added = tuple(run for run in asked.runs if run.name not in names)
    return replace(asked, runs=before.runs + added)


def read_sweep(workdir: str | Path) -> Sweep:
    """Returns what `open_sweep` wrote.

    Raises:
      ValueError: The folder holds no sweep, or its file is damaged.
    """
    workdir = Path(workdir).absolute()
    path = workdir / "sweep.json"
    if not path.exists():
        raise ValueError(
            f"workdir {workdir} holds no sweep (no sweep.json); begin one with `python "
            "-m launch.sweep --config=... --workdir=... --grid=... --seeds=...`."
        )
    stored = files.read_json(path)
    config = from_dict(stored["config"])
    return Sweep(
        workdir=workdir,
        config=config,
        arguments=tuple(stored["arguments"]),
        keys=tuple(stored["keys"]),
        until=stored["until"],
        runs=tuple(
            make_run(config, run["values"], run["seed"]) for run in stored["runs"]
        ),
    )


def _as_json(sweep: Sweep) -> dict[str, Any]:
    return {
        "keys": sweep.keys,
        "until": sweep.until,
        "arguments": sweep.arguments,
        "config": sweep.config.to_dict(),
        "runs": [
            {"name": run.name, "values": run.values, "seed": run.seed}
            for run in sweep.runs
        ],
    }


def _refuse_another(before: Sweep, now: Sweep) -> None:
    """Raises where axes or the settings that make results are not the same."""
    if before.keys != now.keys:
        raise ValueError(
            f"{now.workdir} holds a sweep over {', '.join(before.keys) or 'seeds'}; "
            f"this one is over {', '.join(now.keys) or 'seeds'}. Take another "
            "--workdir, or give the same keys in the same order."
        )
    old, new = (used_settings(sweep.config, "explain") for sweep in (before, now))
    changed = [
        f"{name}: {old.get(name)!r} -> {new.get(name)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name) and name not in ("seed", *now.keys)
    ]
    if changed:
        raise ValueError(
            f"{now.workdir} holds a sweep with other settings ({'; '.join(changed)}); "
            "set them back or take another --workdir."
        )
