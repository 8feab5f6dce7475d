"""Finished runs of an experiment: a line of JSON each in runs.jsonl of its folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from qpm_jax import files

_RUNS = "runs.jsonl"

Read = TypeVar("Read")


def read_runs(
    workdir: str | Path, from_values: Callable[[dict[str, Any]], Read]
) -> list[Read]:
    """Reads what is done.

    Args:
        workdir: folder of the experiment; it need not exist.
        from_values: makes a run of a line's values; what it raises says that the line
            is none.

    Returns:
        The runs, the oldest first.

    Raises:
        ValueError: a line that is not a run's.
    """
    path = Path(workdir) / _RUNS
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return [from_values(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} holds a line that is no finished run ({error}); remove that line,"
            " its run is then done again."
        ) from error


def append_run(workdir: str | Path, line: str) -> None:
    """Keeps a finished run: the file is written whole, with one line more.

    Args:
        workdir: folder of the experiment, made where needed.
        line: the run as JSON, without a line break.

    Raises:
        OSError: the disk is full or the folder cannot be written; the lines before stay
            as they are.
    """
    path = Path(workdir) / _RUNS
    before = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    files.write_text(path, "".join(f"{each}\n" for each in [*before, line]))
