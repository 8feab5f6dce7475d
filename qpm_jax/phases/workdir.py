"""The work directory: what lies where, which phases are done, which settings they had.

    config.json            every setting of the run
    log.jsonl              one record an epoch or phase; tensorboard/ beside it
    dense/                 checkpoints/, done.json
    statistics/            statistics.npz (A, R, b, mean, std), done.json
    assign/                assignment.npz, assignment.json, done.json
    finetune/              checkpoints/, done.json
    evaluate/              metrics.json, done.json
    explain/               report.html, sheet.json, done.json

A phase is done when its `done.json` is there; that file is written last.
"""

import platform
import time
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.config import flatten, from_dict
from qpm_jax.version import __version__

PHASES = ("dense", "statistics", "assign", "finetune", "evaluate", "explain")

# The settings whose change makes a phase's result, and all after it, another one.
_SETTINGS = {
    "dense": (
        *("seed", "batch_size", "image_size", "fit", "dataset", "model"),
        *("augmentation", "dense"),
    ),
    "statistics": (),
    "assign": ("num_features", "per_class", "assign"),
    "finetune": ("finetune",),
    "evaluate": (),
    "explain": (),
}


def open_workdir(workdir: str | Path, config: ConfigDict) -> Path:
    """Makes or reopens a work directory and stores the configuration in it.

    Raises:
      ValueError: A phase that is done or under way had other settings; they are named.
    """
    workdir = Path(workdir).absolute()
    path = workdir / "config.json"
    if path.exists():
        _refuse_changes(workdir, from_dict(files.read_json(path)), config)
    files.write_json(path, config.to_dict())
    return workdir


def read_config(workdir: str | Path) -> ConfigDict:
    """Returns the configuration a run was made with.

    Raises:
      ValueError: `workdir` holds no run.
    """
    path = Path(workdir) / "config.json"
    if not path.exists():
        raise ValueError(
            f"workdir {workdir} holds no run (no config.json); "
            "train one with `python -m launch.pipeline --config=... --workdir=...`."
        )
    return from_dict(files.read_json(path))


def is_done(workdir: Path, phase: str) -> bool:
    """Whether `phase` has finished in this work directory."""
    return (workdir / phase / "done.json").exists()


def require(workdir: Path, phase: str) -> None:
    """Raises ValueError unless `phase` is done."""
    if not is_done(workdir, phase):
        raise ValueError(
            f"{workdir} has no finished phase '{phase}'; run first "
            f"`python -m launch.{phase}` or `python -m launch.pipeline` with the same "
            "--config and --workdir."
        )


def mark_done(workdir: Path, phase: str, seconds: float, **facts: Any) -> None:
    """Writes the phase's `done.json`: duration, versions and what else is worth it."""
    import jax

    files.write_json(
        workdir / phase / "done.json",
        {
            "phase": phase,
            "seconds": seconds,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "qpm_jax": __version__,
            "jax": jax.__version__,
            "python": platform.python_version(),
            "device": jax.devices()[0].device_kind,
            **facts,
        },
    )


def facts(workdir: Path, phase: str) -> dict[str, Any]:
    """Returns what `mark_done` wrote, {} where the phase is not done."""
    path = workdir / phase / "done.json"
    return files.read_json(path) if path.exists() else {}


def _refuse_changes(workdir: Path, before: ConfigDict, now: ConfigDict) -> None:
    """Raises if settings changed that a begun phase has used."""
    old, new = flatten(before), flatten(now)
    begun = [phase for phase in PHASES if (workdir / phase).exists()]
    used = {section for phase in begun for section in _SETTINGS[phase]}
    changed = [
        f"{name}: {old.get(name)!r} -> {new.get(name)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name) and name.split(".")[0] in used
    ]
    if changed:
        raise ValueError(
            f"{workdir} holds a run with other settings ({'; '.join(changed)}). Take "
            "another --workdir, set them back, or delete the folders of the phases "
            f"that used them (begun: {', '.join(begun)})."
        )
