"""The work directory: what lies where, which phases are done, which settings they had.

    config.json            every setting of the run
    log.jsonl              one record an epoch or phase; tensorboard/ beside it
    dense/                 checkpoints/, done.json
    statistics/            statistics.npz (A, R, b, mean, std), done.json
    assign/                assignment.npz, assignment.json, trace.csv, done.json
    finetune/              checkpoints/, done.json
    evaluate/              metrics.json, details.json, done.json
    explain/               report.html, sheet.json, done.json; names.json, by a person

A phase is done when its `done.json` is there, which is written last, and when it began
from the result the phase before it has now: `begun.json` names that result. What began
from another result is stale and is made again. Of several hosts the first one reads and
writes here, and tells the others.
"""

import logging
import platform
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.config import from_dict
from qpm_jax.config_keys import flatten
from qpm_jax.distributed import by_first
from qpm_jax.phases.code_version import code_version
from qpm_jax.version import __version__

# In `explain/`: names of features, by a person.
NAMES = "names.json"

logger = logging.getLogger(__name__)

PHASES = ("dense", "statistics", "assign", "finetune", "evaluate", "explain")

# The settings whose change makes a phase's result, and all after it, another one:
# sections, or single ones of a section.
_SETTINGS = {
    "dense": (
        *("seed", "batch_size", "image_size", "fit", "dataset", "model"),
        *("augmentation", "precision", "dense"),
        *("input.normalisation", "input.skip_unreadable"),
    ),
    "statistics": (),
    "assign": ("num_features", "per_class", "assign"),
    "finetune": ("finetune",),
    "evaluate": (),
    "explain": (),
}
# Where images lie and how they are kept at hand, which may change while a run goes on:
# `inputs` checks that they are the same.
_PLACES = frozenset(
    f"dataset.options.{name}"
    for name in ("root", "cub_root", "data_dir", "cache_dir", "cache_gigabytes")
)
# What only compares a file with the one that is meant.
_COMPARISONS = frozenset({"model.weights_sha256"})


@by_first
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


def used_settings(config: ConfigDict, until: str) -> dict[str, Any]:
    """Returns the settings, by dotted name, that results depend on.

    Args:
      config: Every setting.
      until: Last of the phases whose results are meant.
    """
    phases = PHASES[: PHASES.index(until) + 1]
    sections = {section for phase in phases for section in _SETTINGS[phase]}
    return {
        name: value
        for name, value in flatten(config).items()
        if _is_among(name, sections)
    }


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


@by_first
def is_done(workdir: Path, phase: str) -> bool:
    """Whether `phase` has finished, from what the phases before it hold now."""
    if not (workdir / phase / "done.json").exists():
        return False
    before = _before(phase)
    if before is None:
        return True
    return is_done(workdir, before) and _origin(workdir, phase) == _result(
        workdir, before
    )


@by_first
def has_work(workdir: Path, phase: str) -> bool:
    """Begins `phase` unless it is done, and says which of the two.

    Raises:
      ValueError: The phase before it is not done.
    """
    if is_done(workdir, phase):
        logger.info("%s is done already", phase)
        return False
    begin(workdir, phase)
    return True


@by_first
def begin(workdir: Path, phase: str) -> None:
    """Opens a phase's folder; what is left of a phase with another origin goes.

    An interrupted phase keeps its folder, so that it goes on from its checkpoints.

    Raises:
      ValueError: The phase before it is not done.
    """
    before = _before(phase)
    if before is not None:
        require(workdir, before)
    origin = None if before is None else _result(workdir, before)
    folder = workdir / phase
    if folder.exists() and _origin(workdir, phase) != origin:
        logger.info("%s began from another result and is made again", phase)
        _empty(folder)
    (folder / "done.json").unlink(missing_ok=True)
    files.write_json(folder / "begun.json", {"origin": origin})


def _empty(folder: Path) -> None:
    """Deletes what a phase has written; what a person wrote stays."""
    for path in folder.iterdir():
        if path.name == NAMES:
            logger.info("%s is kept; see that its names still fit", path)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _before(phase: str) -> str | None:
    """Returns the phase before `phase`."""
    position = PHASES.index(phase)
    return PHASES[position - 1] if position else None


def _result(workdir: Path, phase: str) -> str | None:
    """Returns the name of a phase's result, new each time the phase is done."""
    return facts(workdir, phase).get("result")


def _origin(workdir: Path, phase: str) -> str | None:
    """Returns the result a phase began from."""
    path = workdir / phase / "begun.json"
    return files.read_json(path)["origin"] if path.exists() else None


@by_first
def require(workdir: Path, phase: str) -> None:
    """Raises ValueError unless `phase` is done."""
    if not is_done(workdir, phase):
        raise ValueError(
            f"{workdir} has no finished phase '{phase}'; run first "
            f"`python -m launch.{phase}` or `python -m launch.pipeline` with the same "
            "--config and --workdir."
        )


@by_first
def mark_done(
    workdir: Path, phase: str, seconds: float, devices: int = 1, **facts: Any
) -> None:
    """Writes the phase's `done.json`: duration, versions and what else is worth it.

    Args:
      workdir: Where the run lies.
      phase: Which one is done.
      seconds: How long it took.
      devices: How many shared its work, which may be fewer than there are.
      **facts: What else is to be known of it.
    """
    import jax

    files.write_json(
        workdir / phase / "done.json",
        {
            "phase": phase,
            "result": uuid.uuid4().hex,
            "seconds": seconds,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "qpm_jax": __version__,
            "code": code_version(),
            "jax": jax.__version__,
            "python": platform.python_version(),
            "device": jax.devices()[0].device_kind,
            "devices": devices,
            "processes": jax.process_count(),
            **facts,
        },
    )


def facts(workdir: Path, phase: str) -> dict[str, Any]:
    """Returns what `mark_done` wrote, {} where the phase is not done."""
    path = workdir / phase / "done.json"
    return files.read_json(path) if path.exists() else {}


def _is_among(name: str, settings: set[str]) -> bool:
    if name in _COMPARISONS:
        return False
    return name in settings or name.split(".")[0] in settings


def holds_work(workdir: Path, phase: str) -> bool:
    """Whether a phase has left more than that it began, such as a checkpoint."""
    files_in = (path for path in (workdir / phase).rglob("*") if path.is_file())
    return any(path.name != "begun.json" for path in files_in)


def _refuse_changes(workdir: Path, before: ConfigDict, now: ConfigDict) -> None:
    """Raises if settings changed that a phase's work depends on."""
    old, new = flatten(before), flatten(now)
    begun = [phase for phase in PHASES if holds_work(workdir, phase)]
    used = {section for phase in begun for section in _SETTINGS[phase]}
    changed = [
        f"{name}: {old.get(name)!r} -> {new.get(name)!r}"
        for name in sorted((old.keys() | new.keys()) - _PLACES)
        if old.get(name) != new.get(name) and _is_among(name, used)
    ]
    if changed:
        raise ValueError(
            f"{workdir} holds a run with other settings ({'; '.join(changed)}). Take "
            "another --workdir, set them back, or delete the folder of the first phase "
            f"that used them, and the rest is made again (begun: {', '.join(begun)})."
        )
