"""Finished phases of one run for another that would make them alike.

Runs that differ only in later settings, such as the number of features, begin with the
same dense training and statistics. Those folders are handed on as hard links where the
file system has them, else as copies: each run is whole and stands without the other.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from qpm_jax import files
from qpm_jax.phases import workdir as folders
from qpm_jax.training import logs

# What follows is measured anew in every run.
SHAREABLE = ("dense", "statistics", "assign", "finetune")


def fingerprints(config: ConfigDict) -> tuple[str, ...]:
    """Returns for each shareable phase a digest of all settings up to it."""
    return tuple(
        hashlib.sha256(
            json.dumps(
                folders.used_settings(config, phase), sort_keys=True, default=str
            ).encode()
        ).hexdigest()
        for phase in SHAREABLE
    )


def common_phases(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Returns the phases, from the first on, that two runs have in common.

    Args:
      one: `fingerprints` of a run.
      other: Those of another.
    """
    same = [a == b for a, b in zip(one, other, strict=True)]
    return SHAREABLE[: [*same, False].index(False)]


def finished(workdir: Path, phases: Sequence[str]) -> tuple[str, ...]:
    """Returns those of `phases`, from the first on, that a run has finished."""
    done = [folders.is_done(workdir, phase) for phase in phases]
    return tuple(phases[: [*done, False].index(False)])


def take_over(source: Path, target: Path, phases: Sequence[str]) -> tuple[str, ...]:
    """Gives `target` the finished phases of `source`, with their records in the log.

    What `target` has finished itself it keeps, and then takes nothing that follows from
    the other's result; what it has only begun gives way.

    Args:
      source: A run.
      target: A run that is not running; need not exist.
      phases: `common_phases` of the two.

    Returns:
      The phases that were handed over.
    """
    taken = []
    for phase in finished(source, phases):
        if not folders.is_done(target, phase):
            taken.append(phase)
        elif _result(target, phase) != _result(source, phase):
            break
    if taken:
        target.mkdir(parents=True, exist_ok=True)
        _hand_records(source, target, taken)
    for phase in taken:
        _hand_folder(source / phase, target / phase)
    return tuple(taken)


def _result(workdir: Path, phase: str) -> str | None:
    return folders.facts(workdir, phase).get("result")


def _hand_records(source: Path, target: Path, phases: Sequence[str]) -> None:
    """Puts the phases' log records before what the target has of other phases."""
    handed = [r for r in logs.read(source) if r.get("phase") in phases]
    own = [r for r in logs.read(target) if r.get("phase") not in phases]
    lines = (json.dumps(record) + "\n" for record in handed + own)
    files.write_text(target / "log.jsonl", "".join(lines))


def _hand_folder(source: Path, target: Path) -> None:
    """Whole or not at all: what was cut short must not look finished."""
    half = target.with_name(f".{target.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(source, half, copy_function=_link_or_copy)
    files.write_json(half / "taken_over.json", {"from": source.parent.name})
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


def _link_or_copy(source: str, target: str) -> None:
    """Every writer replaces files and changes none, so two runs may own one."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
