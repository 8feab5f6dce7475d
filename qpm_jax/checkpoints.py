"""Orbax checkpoints of a training phase: whole or not there, newest readable one wins.

Orbax writes each checkpoint into a temporary folder and renames it when it is complete,
so a killed run leaves at most an unfinished folder that is ignored. A checkpoint that
was damaged afterwards (cut short, half copied) is passed over, loudly, for the one
before it.
"""

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

logger = logging.getLogger(__name__)

# What a write reports where nothing more fits: disk, quota, size of a file.
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def open_manager(
    folder: str | Path, keep: int = 2, asynchronous: bool = True
) -> Iterator[ocp.CheckpointManager]:
    """Opens the checkpoints in `folder` and waits for unfinished writes at the end.

    Args:
      folder: Where the steps lie, one folder each; made where absent.
      keep: How many of the latest steps are kept.
      asynchronous: Whether training goes on while a checkpoint is written.
    """
    options = ocp.CheckpointManagerOptions(
        max_to_keep=keep, enable_async_checkpointing=asynchronous, create=True
    )
    folder = Path(folder).absolute()
    with (
        _full_disk_is_an_os_error(folder),
        ocp.CheckpointManager(folder, options=options) as manager,
    ):
        yield manager
        manager.wait_until_finished()


def save(manager: ocp.CheckpointManager, step: int, state: Any) -> None:
    """Saves a pytree of arrays as `step`; returns before the write is finished.

    Raises:
      OSError: There is too little space for it; nothing was written.
    """
    _require_space(Path(manager.directory), state)
    manager.save(step, args=ocp.args.StandardSave(state))


def restore_latest(manager: ocp.CheckpointManager, template: Any) -> Any | None:
    """Restores the newest readable checkpoint, or None where there is none.

    Args:
      manager: From `open_manager`.
      template: A pytree of arrays with the shapes, dtypes and sharding to restore to.

    Returns:
      A pytree like `template`, or None if no checkpoint was written yet.

    Raises:
      ValueError: There are checkpoints, but none of them can be read.
    """
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, template)
    failures: list[str] = []
    for step in sorted(manager.all_steps(), reverse=True):
        try:
            restored = manager.restore(step, args=ocp.args.StandardRestore(abstract))
        except Exception as error:  # Orbax raises many kinds for a damaged folder
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            failures.append(f"step {step}: {reason[0][:200]}")
            logger.warning(
                "Checkpoint of step %d in %s cannot be read (%s); trying the one "
                "before it.",
                step,
                manager.directory,
                reason[0][:200],
            )
            continue
        for damaged in (s for s in manager.all_steps() if s > step):
            # It would otherwise stand in the way of the new checkpoint of that step.
            manager.delete(damaged)
        return restored
    if failures:
        raise ValueError(
            f"No checkpoint in {manager.directory} can be read "
            f"({'; '.join(failures)}). They are damaged or of another model. "
            "Delete that folder to train this phase again from its start."
        )
    return None


def save_final(folder: str | Path, variables: Any) -> None:
    """Writes what a phase leaves for others, a pytree of arrays, in one step.

    Raises:
      OSError: There is too little space for it; an older one is still there.
    """
    folder = Path(folder).absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _require_space(folder.parent, variables)
    with _full_disk_is_an_os_error(folder), ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder, variables, force=True)
        checkpointer.wait_until_finished()


def _require_space(folder: Path, state: Any) -> None:
    """Raises before a write that cannot succeed, so that no half of it is left."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    if shutil.disk_usage(folder).free < 1.1 * size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def full_disk_error(error: BaseException) -> int | None:
    """Returns the error number if `error` says that a disk is full, else None."""
    if isinstance(error, OSError):
        return error.errno if error.errno in FULL_DISK else None
    code = re.search(r"os_error_code='(\d+)'", str(error))
    return int(code[1]) if code and int(code[1]) in FULL_DISK else None


@contextmanager
def _full_disk_is_an_os_error(folder: Path) -> Iterator[None]:
    """Turns what Orbax's writer makes of a full disk into the OSError that it is."""
    try:
        yield
    except Exception as error:
        number = full_disk_error(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(folder)) from error


def restore_final(folder: str | Path, shapes: Any) -> Any:
    """Restores what `save_final` wrote onto the first device.

    Args:
      folder: Where it was written.
      shapes: A pytree of arrays or `jax.ShapeDtypeStruct` to restore to.

    Raises:
      ValueError: There is nothing in `folder`, it is damaged, or it is another model.
    """
    folder = Path(folder).absolute()
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    abstract = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
        shapes,
    )
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            return checkpointer.restore(folder, abstract)
    except Exception as error:  # Orbax raises many kinds for a damaged folder
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"{folder.parent.name}: the model in {folder} cannot be read "
            f"({reason[0][:200]}). It is missing, damaged or of another architecture; "
            "delete its phase's folder and run that phase again."
        ) from error
